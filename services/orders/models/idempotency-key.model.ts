/** The table of idempotency keys: their caller, the fingerprint of the body, the order, and the answer to return again. */
import {
  bigint,
  DeclaredModel,
  json,
  key,
  made,
  nullable,
  text,
  time,
  to,
  uuid,
} from '../../../mixins/database/model.ts';
import type { PlacedOrder } from '../orders.types.ts';
import { OrderModel } from './order.model.ts';

export const IdempotencyKeyModel = new DeclaredModel('orders', 'idempotency_keys', {
  caller: key(text()),
  key: key(text()),
  fingerprint: uuid(),
  orderId: to(OrderModel, 'id', bigint()),
  answer: nullable(json<PlacedOrder>()),
  createdAt: made(time()),
  restAt: nullable(time()),
});
