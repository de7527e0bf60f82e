/** states: every order's place in its life, for whoever compares it with what the peers have. */
import type { OrderRecord } from '../../../machines/reconciliation/books.ts';
import { type KeysetPage, type KeysetRequest, keysetPage, keysetParams } from '../../../mixins/database/keyset.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { OrdersOwn } from '../orders.context.ts';

/** All orders by id, or those of `ids`, a page at a time: hand `next` back as `after` while it is not null. */
export const states = defineAction<OrdersOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<OrderRecord>> {
    return keysetPage(await this.states.page(ctx.params), ctx.params);
  },
});
