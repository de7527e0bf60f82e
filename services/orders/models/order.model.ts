/** The table of orders: one row per order, including its lines. */
import type { Refusal } from '../../../machines/order/order.ts';
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import type { OrderRecord } from '../../../machines/reconciliation/books.ts';
import {
  array,
  bigint,
  boolean,
  DeclaredModel,
  integer,
  jsonb,
  key,
  made,
  money,
  nullable,
  type RowOf,
  smallint,
  text,
  time,
  uuid,
} from '../../../mixins/database/model.ts';

export const OrderModel = new DeclaredModel('orders', 'orders', {
  id: key(bigint()),
  orderNumber: uuid(),
  customerId: bigint(),
  customerName: nullable(text()),
  deliveryAddress: text(),
  carrier: text(),
  productIds: array(bigint()),
  quantities: array(bigint()),
  pricesAtPurchase: nullable(array(money())),
  totalPrice: nullable(money()),
  trackingNumber: nullable(text()),
  estimatedDelivery: nullable(time()),
  refusal: nullable(jsonb<Refusal>()),
  orderDate: time(),
  requestId: nullable(text()),
  keyed: boolean(),
  // The machine's snapshot: one state per region, and the version of the chart that wrote it.
  status: text<OrderStatus>(),
  stockState: text<OrderRecord['stock']>(),
  shipmentState: text<OrderRecord['shipment']>(),
  machineVersion: smallint(),
  // `seq` counts history entries; `version` counts all writes, including those of the lease.
  seq: integer(),
  version: integer(),
  // The owed work: its owner, when any node may take it over, and the attempts so far.
  owner: nullable(text()),
  dueAt: nullable(time()),
  attempt: made(integer()),
  lastError: nullable(text()),
  waitingSince: nullable(time()),
  parkedAt: nullable(time()),
  deadlineAt: time(),
  // The fingerprint of the body of an order placed without a key, kept while a repeat would resume the order.
  fingerprint: nullable(uuid()),
});

/** A row of `orders.orders`. */
export type OrderColumns = RowOf<typeof OrderModel>;
