/** reservations, imbalances: the records of inventory for reconciliation. */
import type { ImbalanceRecord, ReservationRecord } from '../../../machines/reconciliation/books.ts';
import { type KeysetPage, type KeysetRequest, keysetPage, keysetParams } from '../../../mixins/database/keyset.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { reservationOf } from '../inventory.view.ts';

/** All reservations by order id, or those of `ids`, a page at a time: pass `next` as `after` until it is null. */
export const reservations = defineAction<InventoryOwn, KeysetRequest>({
  visibility: 'public',
  access: [],
  repeatable: true,
  params: keysetParams,
  async handler(ctx): Promise<KeysetPage<ReservationRecord>> {
    const reserved = (await this.reservations.page(ctx.params)).map(reservationOf);
    return keysetPage(
      reserved,
      ctx.params,
      ({ orderId }) => orderId,
      ({ items }) => items.length,
    );
  },
});

/** Products whose reserved quantity is out of bounds or not the sum of their reservations: by id, at most 1,000. */
export const imbalances = defineAction<InventoryOwn, object>({
  visibility: 'public',
  access: [],
  repeatable: true,
  params: { $$strict: true },
  handler(): Promise<ImbalanceRecord[]> {
    return this.reservations.imbalances();
  },
});
