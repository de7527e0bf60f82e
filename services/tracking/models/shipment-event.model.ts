/** The table of timeline entries, except the first one, which is the shipment's own row. */
import {
  bigint,
  DeclaredModel,
  integer,
  jsonb,
  key,
  made,
  nullable,
  type RowOf,
  text,
  time,
  to,
} from '../../../mixins/database/model.ts';
import { ShipmentModel } from './shipment.model.ts';

export const ShipmentEventModel = new DeclaredModel('tracking', 'shipment_events', {
  orderId: key(to(ShipmentModel, 'orderId', bigint())),
  seq: key(integer()),
  // Identifies the change, so that a retry after its commit is recognised.
  eventId: text(),
  status: text(),
  location: nullable(text()),
  details: nullable(jsonb<unknown>()),
  // The carrier's free fields.
  extra: nullable(jsonb<Record<string, unknown>>()),
  at: time(),
  recordedAt: made(time()),
});

/** A row of `tracking.shipment_events`. */
export type ShipmentEventColumns = RowOf<typeof ShipmentEventModel>;
