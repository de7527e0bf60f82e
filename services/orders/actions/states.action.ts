/** states: the state of every order, for reconciliation with the peers. */
import type { OrderRecord } from '../../../machines/reconciliation/books.ts';
import { type KeysetPage, type KeysetRequest, keysetPage, keysetParams } from '../../../mixins/database/keyset.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { OrdersOwn } from '../orders.context.ts';

/** All orders by id, or those of `ids`, a page at a time: pass `next` as `after` until it is null. */
export const states = defineAction<OrdersOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  repeatable: true,
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<OrderRecord>> {
    const orders = await this.states.page(ctx.params);
    return keysetPage(
      orders,
      ctx.params,
      ({ orderId }) => orderId,
      ({ items }) => items.length,
    );
  },
});
