/** Reconciliation over the mesh: reads the three books side by side, and reports what still disagrees on a second look. */
import {
  type Books,
  type Disagreement,
  type ImbalanceRecord,
  judgeOrder,
  judgeProduct,
  type OrderRecord,
  type ReservationRecord,
  type ShipmentRecord,
} from '../../../machines/reconciliation/reconciliation.ts';

/** Entries by order id, ascending. `next` is handed back as `after`, null on the last page. */
export interface Page<Item> {
  items: Item[];
  next: number | null;
}

/** Which entries: those after an order id, of `ids` only if they are given. */
export interface PageRequest {
  after?: number;
  ids?: number[];
}

/** Where the books are read, a page at a time. */
export interface BookReader {
  orders(request: PageRequest): Promise<Page<OrderRecord>>;
  reservations(request: PageRequest): Promise<Page<ReservationRecord>>;
  shipments(request: PageRequest): Promise<Page<ShipmentRecord>>;
  imbalances(): Promise<ImbalanceRecord[]>;
}

/** How many suspects are looked at again together. */
const SUSPECTS = 500;

/**
 * At most `limit` disagreements, those of orders first, by order id. Orders that are under way are not judged, nor are
 * those that change while they are looked at. Holds a few pages in memory, however long the books are.
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

/** Merges the three books by order id, a stretch at a time. */
async function* sideBySide(reader: BookReader): AsyncGenerator<Books[]> {
  const orders = new Book((request) => reader.orders(request));
  const reservations = new Book((request) => reader.reservations(request));
  const shipments = new Book((request) => reader.shipments(request));
  const all = [orders, reservations, shipments];
  for (;;) {
    await Promise.all(all.map((book) => book.turn()));
    const stretch: Books[] = [];
    // As far as every book is open: what a dry one has next may come before what the others have.
    while (!all.some((book) => book.dry)) {
      const orderId = Math.min(...all.map((book) => book.head));
      if (orderId === Number.POSITIVE_INFINITY) break;
      const [order, reservation, shipment] = [
        orders.take(orderId),
        reservations.take(orderId),
        shipments.take(orderId),
      ];
      stretch.push({ orderId, order, reservation, shipment });
    }
    if (stretch.length > 0) yield stretch;
    else if (all.every((book) => book.head === Number.POSITIVE_INFINITY)) return;
  }
}

/** One book, read page by page; the next page is on its way while one is gone through. */
class Book<Item extends { orderId: number }> {
  readonly #read: (request: PageRequest) => Promise<Page<Item>>;
  #items: Item[] = [];
  #at = 0;
  #coming: Promise<Page<Item>> | undefined;

  constructor(read: (request: PageRequest) => Promise<Page<Item>>) {
    this.#read = read;
    this.#ask({});
  }

  /** The order id of the next entry; infinity when there is none on this page. */
  get head(): number {
    return this.#items[this.#at]?.orderId ?? Number.POSITIVE_INFINITY;
  }

  /** The page is gone through, and is not the last one. */
  get dry(): boolean {
    return this.#at >= this.#items.length && this.#coming !== undefined;
  }

  /** Turns to the next page when this one is gone through. */
  async turn(): Promise<void> {
    if (!this.dry) return;
    const { items, next } = (await this.#coming) as Page<Item>;
    this.#items = items;
    this.#at = 0;
    this.#coming = undefined;
    if (next !== null) this.#ask({ after: next });
  }

  /** The next entry if it is the order's. */
  take(orderId: number): Item | undefined {
    return this.head === orderId ? this.#items[this.#at++] : undefined;
  }

  #ask(request: PageRequest): void {
    this.#coming = this.#read(request);
    // Who stops in the middle does not hear of its failure; who turns the page does.
    this.#coming.catch(() => undefined);
  }
}

/**
 * The services are read one after another while orders go on, so the first look proves nothing. The second one reads the
 * orders before and after their peers: an order that was at rest both times, unchanged, was at rest in between.
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

async function byId<Item extends { orderId: number }>(
  read: (request: PageRequest) => Promise<Page<Item>>,
  ids: number[],
): Promise<Map<number, Item>> {
  const found = new Map<number, Item>();
  for (let after: number | null = 0; after !== null; ) {
    const page: Page<Item> = await read({ ids, after });
    for (const item of page.items) found.set(item.orderId, item);
    after = page.next;
  }
  return found;
}
