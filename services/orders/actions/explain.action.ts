/** explain: what an order is waiting for, and why. */
import type { Order } from '../../../machines/order/order.ts';
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { findOrder } from './find-order.ts';
import { canExpire } from '../engine/expiry.ts';
import { orderId } from '../orders.params.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { Explanation, OrderIdParams } from '../orders.types.ts';

const instant = (date: Date | null | undefined): string | null => date?.toISOString() ?? null;

/** What an order is waiting for and since when, its last error, and the events allowed next. @throws NotFound */
export const explain = defineAction<OrdersOwn, OrderIdParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: orderId,
  async handler(ctx): Promise<Explanation> {
    const { state } = await findOrder(this.store, ctx.params.id, confinedTo(ctx));
    return explanationOf(this, state);
  },
});

/** The explanation of an order that was just read. */
export async function explanationOf({ queries }: OrdersOwn, order: Order): Promise<Explanation> {
  const work = await queries.work(order.id);
  const [owed] = order.state.owed;
  const { status } = order.state;
  return {
    status,
    waitingFor: owed === undefined ? null : work?.parkedAt ? 'operator' : owed.from,
    attempt: work?.attempt ?? 0,
    lastError: work?.lastError ?? null,
    // While a node owns the order, due_at is the end of its lease, not the time of an attempt.
    nextAttemptAt: work?.owner === null ? instant(work.dueAt) : null,
    deadline: canExpire(order) ? instant(work?.deadlineAt) : null,
    allowedEvents: [...order.state.allows],
    waitingSince: instant(work?.waitingSince),
  };
}
