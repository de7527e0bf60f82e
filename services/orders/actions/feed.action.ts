/** feed: the history entries of all orders as they are committed, for streams. */
import { countNumber } from '../../../mixins/params/params.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { FeedPage, FeedRequest } from '../orders.types.ts';

// A function, because the validator treats a reused schema object as a cycle and skips its check.
const whole = () => ({ type: 'number', integer: true, min: 0, max: Number.MAX_SAFE_INTEGER });

/**
 * The entries after a position, a page at a time: pass `next` as `after`. A page without entries means that there are none
 * yet. Without `after` it only tells the present position.
 */
export const feed = defineAction<OrdersOwn, FeedRequest>({
  visibility: 'public',
  access: [],
  repeatable: true,
  params: {
    $$strict: true,
    after: {
      type: 'object',
      optional: true,
      strict: true,
      props: {
        txid: { type: 'string', pattern: /^\d{1,20}$/ },
        position: whole(),
        line: whole(),
        atMs: countNumber(2 ** 53),
      },
    },
  },
  async handler(ctx): Promise<FeedPage> {
    const { after } = ctx.params;
    return after ? await this.feed.after(after) : { entries: [], next: await this.feed.head(), more: false };
  },
});
