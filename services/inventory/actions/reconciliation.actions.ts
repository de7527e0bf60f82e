/** What the inventory shows to whoever compares the books: its reservations, and the levels that do not fit them. */
import { QueryTypes } from 'sequelize';
import type { ImbalanceRecord, ReservationRecord } from '../../../machines/reconciliation/reconciliation.ts';
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

const RESERVATIONS = `SELECT order_id, status, array_to_json(product_ids)::text AS product_ids,
  array_to_json(quantities)::text AS quantities FROM inventory.reservations`;

/** All reservations by order id, or those of `ids`, a page at a time: hand `next` back as `after` while it is not null. */
export const reservations = defineAction<WithDatabase, KeysetRequest>({
  visibility: 'public',
  access: [],
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<ReservationRecord>> {
    const { text, values } = keysetClause('order_id', ctx.params);
    const { rows } = await orUnavailable(this.database.pool.query(`${RESERVATIONS} ${text}`, values));
    const read = rows.map((row): ReservationRecord => {
      const quantities = JSON.parse(row.quantities as string) as number[];
      return {
        orderId: row.order_id as number,
        status: row.status as ReservationRecord['status'],
        items: (JSON.parse(row.product_ids as string) as number[]).map((productId, i) => ({
          productId,
          quantity: quantities[i] as number,
        })),
      };
    });
    return keysetPage(read, ctx.params);
  },
});

// One statement sees levels and reservations of one instant, so that what is under way is never taken for a fault.
const IMBALANCES = `
SELECT coalesce(p.id, h.product_id) AS id, coalesce(p.quantity, 0) AS quantity,
       coalesce(p.reserved_quantity, 0) AS reserved, coalesce(h.held, 0) AS held
  FROM inventory.products p
  FULL JOIN (SELECT l.product_id, sum(l.quantity) AS held
               FROM inventory.reservations r, unnest(r.product_ids, r.quantities) AS l(product_id, quantity)
              WHERE r.status = 'HELD' GROUP BY l.product_id) h ON h.product_id = p.id
 WHERE coalesce(p.reserved_quantity, 0) <> coalesce(h.held, 0) OR NOT coalesce(p.reserved_quantity, 0) BETWEEN 0 AND coalesce(p.quantity, 0)
 ORDER BY 1 LIMIT $1`;

/** Imbalances answered at most. */
const MAX_IMBALANCES = 1_000;

/** The products, by id, whose levels are not what their live reservations add up to, or are out of bounds. At most 1,000. */
export const imbalances = defineAction<WithDatabase, object>({
  visibility: 'public',
  access: [],
  params: { $$strict: true },
  async handler(): Promise<ImbalanceRecord[]> {
    // Not through the pool of the hot statements, which never scans a table.
    const rows = await orUnavailable(
      this.database.sequelize.query<Record<string, string>>(IMBALANCES, {
        bind: [MAX_IMBALANCES],
        type: QueryTypes.SELECT,
      }),
    );
    return rows.map((row) => ({
      productId: Number(row.id),
      quantity: Number(row.quantity),
      reservedQuantity: Number(row.reserved),
      held: Number(row.held),
    }));
  },
});
