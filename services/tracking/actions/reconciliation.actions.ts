/** shipments: what tracking shows to whoever compares the books. */
import type { ShipmentRecord } from '../../../machines/reconciliation/books.ts';
import { type KeysetPage, type KeysetRequest, keysetPage, keysetParams } from '../../../mixins/database/keyset.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { recordOf } from '../tracking.view.ts';

/** All shipments by order id, or those of `ids`, a page at a time: hand `next` back as `after` while it is not null. */
export const shipments = defineAction<TrackingOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<ShipmentRecord>> {
    const rows = await this.queries.page(ctx.params);
    return keysetPage(rows.map(recordOf), ctx.params);
  },
});
