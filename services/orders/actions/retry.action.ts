/** retry: attempts the owed work of an order now. */
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { findOrder } from './find-order.ts';
import { explanationOf } from './explain.action.ts';
import { orderId } from '../orders.params.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { Explanation, OrderIdParams } from '../orders.types.ts';

/**
 * Attempts what an order owes now instead of at its next attempt, even if it is parked. Resolves after the attempt, with
 * the order's explanation. An order that owes nothing, or that a node is working on, is only explained.
 * @throws NotFound
 */
export const retry = defineAction<OrdersOwn, OrderIdParams>({
  access: ['staff', 'admin'],
  repeatable: true,
  params: orderId,
  async handler(ctx): Promise<Explanation> {
    const { id } = await findOrder(this.store, ctx.params.id, confinedTo(ctx));
    const claimed = await this.store.claimOne(id);
    const after = claimed ? await this.host.resume(claimed.memory) : undefined;
    return explanationOf(this, (after ?? (await findOrder(this.store, id, null))).state);
  },
});
