/** The table of shipments. A row without a tracking number is the tombstone of an early void. */
import {
  bigint,
  DeclaredModel,
  integer,
  key,
  nullable,
  type RowOf,
  smallint,
  text,
  time,
  uuid,
} from '../../../mixins/database/model.ts';

export const ShipmentModel = new DeclaredModel('tracking', 'shipments', {
  orderId: key(bigint()),
  trackingNumber: nullable(uuid()),
  // Null when the caller did not give one.
  customerId: nullable(bigint()),
  customerName: nullable(text()),
  deliveryAddress: nullable(text()),
  carrier: nullable(text()),
  status: text(),
  machineVersion: smallint(),
  seq: integer(),
  estimatedDelivery: nullable(time()),
  createdAt: time(),
  updatedAt: time(),
});

/** A row of `tracking.shipments`. */
export type ShipmentColumns = RowOf<typeof ShipmentModel>;
