/** The promise: stock is held for confirmed orders exactly, and has fallen by shipped ones exactly. */
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import type { Books } from '../books.ts';
import type { Check } from './promise.ts';

/** What an order in this status does to the stock of its products. */
const HOLDS: readonly OrderStatus[] = ['CONFIRMED'];
const TOOK: readonly OrderStatus[] = ['SHIPPED', 'DELIVERED'];

export const stock: Check = {
  promise: 'stock is held for CONFIRMED orders only, and fell by what was shipped, once',
  *check(books) {
    const held = unitsOf(books, HOLDS);
    const taken = unitsOf(books, TOOK);
    for (const { product, quantity, reservedQuantity, availableStock } of books.stock) {
      const { id, initialStock } = product;
      if (availableStock < 0 || reservedQuantity > quantity || availableStock !== quantity - reservedQuantity)
        yield { what: `product ${id} has ${quantity}, ${reservedQuantity} reserved and ${availableStock} available` };
      const holds = held.get(id) ?? 0;
      if (reservedQuantity !== holds)
        yield { what: `product ${id} has ${reservedQuantity} reserved, its CONFIRMED orders want ${holds}` };
      const { sure, unsure, amount } = additions(books, id);
      const rest = quantity + (taken.get(id) ?? 0) - initialStock - sure;
      const fits = rest >= 0 && rest <= unsure * amount && (rest === 0 || rest % amount === 0);
      if (!fits)
        yield {
          what: `product ${id} has ${quantity}: it began with ${initialStock}, got ${sure} (and perhaps ${unsure * amount} more), its shipped orders took ${taken.get(id) ?? 0}`,
        };
    }
  },
};

function unitsOf({ orders }: Books, statuses: readonly OrderStatus[]): Map<number, number> {
  const units = new Map<number, number>();
  for (const { view } of orders.values()) {
    if (!view || !statuses.includes(view.status)) continue;
    for (const { productId, quantity } of view.items) units.set(productId, (units.get(productId) ?? 0) + quantity);
  }
  return units;
}

/** The stock added for certain, and the number of additions whose outcome is unknown. */
function additions({ log }: Books, id: number): { sure: number; unsure: number; amount: number } {
  let [sure, unsure, amount] = [0, 0, 1];
  for (const { product, outcome } of log.entries) {
    if (product?.id !== id) continue;
    amount = product.amount;
    if (outcome === 'done') sure += amount;
    else if (outcome === 'unknown') unsure += 1;
  }
  return { sure, unsure, amount };
}
