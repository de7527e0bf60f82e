/** Reconciliation: compares the books, and reports what still disagrees on a second look. */
import { type Disagreement, judgeOrder, judgeProduct } from '../../../machines/reconciliation/reconciliation.ts';
import { type BookReader, byId, sideBySide } from '../store/books.ts';

/** How many suspects are checked again in one batch. */
const SUSPECTS = 500;

/**
 * Returns at most `limit` disagreements, those of orders first, by order id. Orders that are in progress, or that change
 * during the check, are not judged. Keeps only a few pages in memory.
 */
export async function reconcile(reader: BookReader, limit: number): Promise<Disagreement[]> {
  const found: Disagreement[] = [];
  const suspects: number[] = [];
  for await (const stretch of sideBySide(reader)) {
    for (const books of stretch) if (judgeOrder(books).length > 0) suspects.push(books.orderId);
    while (suspects.length >= SUSPECTS && found.length < limit)
      found.push(...(await lookAgain(reader, suspects.splice(0, SUSPECTS))));
    if (found.length >= limit) break;
  }
  if (found.length < limit && suspects.length > 0) found.push(...(await lookAgain(reader, suspects)));
  if (found.length < limit) found.push(...(await reader.imbalances()).flatMap(judgeProduct));
  return found.slice(0, limit);
}

/**
 * The first look proves nothing, because orders change while the services are read one after another. The second one reads
 * the orders before and after their peers: an order that was at rest and unchanged both times was at rest in between.
 */
async function lookAgain(reader: BookReader, ids: number[]): Promise<Disagreement[]> {
  const before = await byId((request) => reader.orders(request), ids);
  const [reservations, shipments] = await Promise.all([
    byId((request) => reader.reservations(request), ids),
    byId((request) => reader.shipments(request), ids),
  ]);
  const after = await byId((request) => reader.orders(request), ids);
  return ids.flatMap((orderId) => {
    const order = after.get(orderId);
    if (before.get(orderId)?.seq !== order?.seq) return [];
    return judgeOrder({
      orderId,
      order,
      reservation: reservations.get(orderId),
      shipment: shipments.get(orderId),
    });
  });
}
