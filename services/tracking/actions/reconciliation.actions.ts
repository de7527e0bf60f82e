/** shipments: the records of tracking for reconciliation. */
import type { ShipmentRecord } from '../../../machines/reconciliation/books.ts';
import { type KeysetPage, type KeysetRequest, keysetPage, keysetParams } from '../../../mixins/database/keyset.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { recordOf } from '../tracking.view.ts';

/** All shipments by order id, or those of `ids`, a page at a time: pass `next` as `after` until it is null. */
export const shipments = defineAction<TrackingOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  repeatable: true,
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<ShipmentRecord>> {
    const now = Date.now();
    const shipped = (await this.queries.page(ctx.params)).map((row) => recordOf(row, now));
    return keysetPage(shipped, ctx.params, ({ orderId }) => orderId);
  },
});
