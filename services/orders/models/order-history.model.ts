/** The table of order history entries. */
import type { Actor } from '../../../machines/order/order.ts';
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import {
  bigint,
  DeclaredModel,
  integer,
  jsonb,
  key,
  nullable,
  type RowOf,
  text,
  time,
  to,
} from '../../../mixins/database/model.ts';
import { OrderModel } from './order.model.ts';

export const OrderHistoryModel = new DeclaredModel('orders', 'order_history', {
  orderId: key(to(OrderModel, 'id', bigint())),
  seq: key(integer()),
  event: text(),
  fromStatus: nullable(text<OrderStatus>()),
  toStatus: text<OrderStatus>(),
  at: time(),
  actor: nullable(jsonb<Actor>()),
  detail: nullable(jsonb<Record<string, unknown>>()),
});

/** A row of `orders.order_history`. */
export type OrderHistoryColumns = RowOf<typeof OrderHistoryModel>;
