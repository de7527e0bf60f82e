/** create: how an order comes in. */
import { Forbidden } from '../../../mixins/auth/auth.failures.ts';
import { type Caller, callerOf, confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { idempotencyKeyOf, requestIdOf } from './call-meta.ts';
import { createOrder } from '../orders.params.ts';
import { ANONYMOUS } from '../engine/placing.ts';
import type { CallMeta, OrdersOwn } from '../orders.context.ts';
import type { CreateOrderParams, PlacedOrder } from '../orders.types.ts';

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
      requestId: requestIdOf(ctx.requestID),
      keyed: key !== null,
      caller: submitterOf(callerOf(ctx)),
      key,
    });
  },
});

/** Whose idempotency keys a call uses. Callers that are not told apart share one name space. */
function submitterOf({ role, subject, customerId }: Caller): string {
  if (role === 'service') return ANONYMOUS;
  return role === 'customer' ? `customer:${customerId}` : `${role}:${subject}`;
}
