/** A shipment as it is stored. One without a number is a void that came before its shipment. */
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
  // Null when it was not said.
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
