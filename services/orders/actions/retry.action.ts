/** retry: work that is owed, tried now. */
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { findOrder } from './find-order.ts';
import { explanationOf } from './explain.action.ts';
import { orderId } from '../orders.params.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { Explanation, OrderIdParams } from '../orders.types.ts';

/**
 * Tries what an order owes now instead of at its next attempt, also when its attempts are used up. Resolves when the
 * attempt is over, with what the order is doing then. An order that owes nothing, or that a node is just working on, is
 * explained as it is.
 * @throws NotFound.
 */
export const retry = defineAction<OrdersOwn, OrderIdParams>({
  access: ['staff', 'admin'],
  params: orderId,
  async handler(ctx): Promise<Explanation> {
    const { id } = await findOrder(this.store, ctx.params.id, confinedTo(ctx));
    const claimed = await this.store.claimOne(id);
    const after = claimed ? await this.host.resume(claimed.memory) : undefined;
    return explanationOf(this, (after ?? (await findOrder(this.store, id, null))).state);
  },
});
