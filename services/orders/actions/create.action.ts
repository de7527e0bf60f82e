/** create: how an order comes in. */
import { Forbidden } from '../../../mixins/auth/auth.failures.ts';
import { callerOf, confinedTo } from '../../../mixins/auth/caller.ts';
import { isVisible } from '../../../mixins/params/params.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { createOrder } from '../orders.params.ts';
import { idempotencyKeyOf, keyspaceOf } from '../engine/idempotency.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { CallMeta, CreateOrderParams, PlacedOrder } from '../orders.types.ts';

const MAX_REQUEST_ID = 128;

/**
 * Takes an order. Resolves when it is CONFIRMED; what it throws says whether the order exists (see OrderPlacing.place).
 * Forbidden for an order in the name of another customer than the caller's own.
 * Safe to repeat: under an idempotency key (meta `idempotencyKey`) for good, without one while the order is pending.
 */
export const create = defineAction<OrdersOwn, CreateOrderParams, CallMeta>({
  access: ['customer', 'staff', 'admin'],
  params: createOrder,
  handler(ctx): Promise<PlacedOrder> {
    const { customerId, items, deliveryAddress, carrier, customerName } = ctx.params;
    const confined = confinedTo(ctx);
    if (confined !== null && confined !== customerId) {
      throw new Forbidden(`Your token lets you order for customer ${confined} only: send that as customerId`);
    }
    const key = idempotencyKeyOf(ctx.meta);
    return this.placing.place({
      customerId,
      items,
      deliveryAddress,
      carrier,
      customerName: customerName ?? null,
      // A peer may send anything.
      requestId: isVisible(ctx.requestID, MAX_REQUEST_ID) ? ctx.requestID : null,
      keyed: key !== null,
      caller: keyspaceOf(callerOf(ctx)),
      key,
    });
  },
});
