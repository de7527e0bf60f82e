/** create: places an order. */
import { Forbidden } from '../../../mixins/auth/auth.failures.ts';
import { callerOf, confinedTo } from '../../../mixins/auth/caller.ts';
import { isVisible } from '../../../mixins/params/params.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { createOrder } from '../orders.params.ts';
import { actorOf } from './actor-of.ts';
import { idempotencyKeyOf, keyspaceOf } from '../engine/idempotency.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { CallMeta, CreateOrderParams, PlacedOrder } from '../orders.types.ts';

const MAX_REQUEST_ID = 128;

/**
 * Places an order. Resolves when it is CONFIRMED; its failures say whether the order exists (see OrderPlacing.place).
 * Safe to retry: with an idempotency key (meta `idempotencyKey`) always, without one while the order is pending.
 * @throws Forbidden for an order of a customer other than the caller
 */
export const create = defineAction<OrdersOwn, CreateOrderParams, CallMeta>({
  access: ['customer', 'staff', 'admin'],
  // Without a key, a node that hangs and goes on later would place a second order.
  repeatable: { withMeta: 'idempotencyKey' },
  params: createOrder,
  handler(ctx): Promise<PlacedOrder> {
    const { customerId, items, deliveryAddress, carrier, customerName } = ctx.params;
    const confined = confinedTo(ctx);
    if (confined !== null && confined !== customerId) {
      throw new Forbidden(`This token may only place orders for customer ${confined}: send that as customerId`);
    }
    const key = idempotencyKeyOf(ctx.meta);
    return this.placing.place({
      customerId,
      items,
      deliveryAddress,
      carrier,
      customerName: customerName ?? null,
      by: actorOf(ctx),
      // A peer may send any value.
      requestId: isVisible(ctx.requestID, MAX_REQUEST_ID) ? ctx.requestID : null,
      keyed: key !== null,
      caller: keyspaceOf(callerOf(ctx)),
      key,
    });
  },
});
