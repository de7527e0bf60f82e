/** states: every order's place in its life, for whoever compares it with what the peers have. */
import type { OrderRecord } from '../../../machines/reconciliation/books.ts';
import { type KeysetPage, type KeysetRequest, keysetPage, keysetParams } from '../../../mixins/database/keyset.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { OrdersOwn } from '../orders.context.ts';
import { owedIn } from '../engine/owed.ts';
import type { StateRow } from '../store/order.queries.ts';

/** All orders by id, or those of `ids`, a page at a time: hand `next` back as `after` while it is not null. */
export const states = defineAction<OrdersOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<OrderRecord>> {
    return keysetPage((await this.queries.states(ctx.params)).map(recordOf), ctx.params);
  },
});

function recordOf(row: StateRow): OrderRecord {
  const owes = owedIn(row).map((owed) => owed.effect);
  const planned = row.dueAt !== null || row.parkedAt !== null;
  return {
    orderId: row.id,
    status: row.status,
    stock: row.stockState,
    shipment: row.shipmentState,
    owes,
    planned,
    atRest: owes.length === 0 && !planned,
    items: row.productIds.map((productId, i) => ({ productId, quantity: row.quantities[i] as number })),
    trackingNumber: row.trackingNumber,
    seq: row.seq,
  };
}
