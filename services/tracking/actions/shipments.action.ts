/** shipments: every order's shipment, for whoever compares it with the order. */
import type { ShipmentRecord } from '../../../machines/reconciliation/reconciliation.ts';
import type { WithDatabase } from '../../../mixins/database/database.mixin.ts';
import {
  type KeysetPage,
  type KeysetRequest,
  keysetClause,
  keysetPage,
  keysetParams,
} from '../../../mixins/database/keyset.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { trackingNumberOf } from '../tracking-number.ts';

const SHIPMENTS = 'SELECT order_id, status, tracking_number FROM tracking.shipments';

/** All shipments by order id, or those of `ids`, a page at a time: hand `next` back as `after` while it is not null. */
export const shipmentsPage = defineAction<WithDatabase, KeysetRequest>({
  visibility: 'public',
  access: [],
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<ShipmentRecord>> {
    const { text, values } = keysetClause('order_id', ctx.params);
    const { rows } = await orUnavailable(this.database.pool.query(`${SHIPMENTS} ${text}`, values));
    const read = rows.map(
      (row): ShipmentRecord => ({
        orderId: row.order_id as number,
        status: row.status as string,
        trackingNumber: row.tracking_number === null ? null : trackingNumberOf(row.tracking_number as string),
      }),
    );
    return keysetPage(read, ctx.params);
  },
});
