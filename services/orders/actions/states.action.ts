/** states: every order's place in its life, for whoever compares it with what the peers have. */
import type { OrderRecord } from '../../../machines/reconciliation/books.ts';
import {
  type KeysetPage,
  type KeysetRequest,
  keysetClause,
  keysetPage,
  keysetParams,
} from '../../../mixins/database/keyset.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { OrdersOwn } from '../orders.context.ts';
import { owedIn, type StateColumns } from '../engine/owed.ts';

interface StateRow extends StateColumns {
  status: OrderRecord['status'];
  stock_state: OrderRecord['stock'];
  shipment_state: OrderRecord['shipment'];
  id: number;
  seq: number;
  tracking_number: string | null;
  product_ids: string;
  quantities: string;
  planned: boolean;
}

const STATES = `SELECT id, status, stock_state, shipment_state, machine_version, seq, tracking_number,
  array_to_json(product_ids)::text AS product_ids, array_to_json(quantities)::text AS quantities,
  (due_at IS NOT NULL OR parked_at IS NOT NULL) AS planned
  FROM orders.orders`;

/** All orders by id, or those of `ids`, a page at a time: hand `next` back as `after` while it is not null. */
export const states = defineAction<OrdersOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<OrderRecord>> {
    const { text, values } = keysetClause('id', ctx.params);
    const { rows } = await orUnavailable(this.database.query<StateRow>(`${STATES} ${text}`, values));
    return keysetPage(rows.map(recordOf), ctx.params);
  },
});

function recordOf(row: StateRow): OrderRecord {
  const owes = owedIn(row).map((owed) => owed.effect);
  const quantities = JSON.parse(row.quantities) as number[];
  return {
    orderId: row.id,
    status: row.status,
    stock: row.stock_state,
    shipment: row.shipment_state,
    owes,
    planned: row.planned,
    atRest: owes.length === 0 && !row.planned,
    items: (JSON.parse(row.product_ids) as number[]).map((productId, i) => ({
      productId,
      quantity: quantities[i] as number,
    })),
    trackingNumber: row.tracking_number,
    seq: row.seq,
  };
}
