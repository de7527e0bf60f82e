/** create: how an order comes in. */
import { defineAction } from '../../../mixins/schema.ts';
import { createOrder } from '../orders.params.ts';
import type { CallMeta, OrdersOwn } from '../orders.context.ts';
import type { CreateOrderParams, PlacedOrder } from '../orders.types.ts';

/** Idempotency keys of callers without an identity share one name space. */
const ANONYMOUS = 'anonymous';

/**
 * Takes an order. Resolves when it is CONFIRMED; what it throws says whether the order exists (see OrderPlacing.place).
 * Safe to repeat: under an idempotency key (meta `idempotencyKey`) for good, without one while the order is pending.
 */
export const create = defineAction<OrdersOwn, CreateOrderParams, CallMeta>({
  params: createOrder,
  handler(ctx): Promise<PlacedOrder> {
    const { customerId, items, deliveryAddress, carrier, customerName } = ctx.params;
    const key = ctx.meta.idempotencyKey ?? null;
    return this.placing.place({
      customerId,
      items,
      deliveryAddress,
      carrier,
      customerName: customerName ?? null,
      requestId: ctx.requestID,
      keyed: key !== null,
      caller: ctx.meta.caller ?? ANONYMOUS,
      key,
    });
  },
});
