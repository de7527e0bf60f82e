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
} from '../../machines/reconciliation.ts';

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
  let suspects: number[] = [];
  for await (const books of sideBySide(reader)) {
    if (judgeOrder(books).length > 0) suspects.push(books.orderId);
    if (suspects.length < SUSPECTS) continue;
    found.push(...(await lookAgain(reader, suspects)));
    suspects = [];
    if (found.length >= limit) break;
  }
  if (found.length < limit && suspects.length > 0) found.push(...(await lookAgain(reader, suspects)));
  if (found.length < limit) found.push(...(await reader.imbalances()).flatMap(judgeProduct));
  return found.slice(0, limit);
}

/** Merges the three books by order id. */
async function* sideBySide(reader: BookReader): AsyncGenerator<Books> {
  const orders = entries((request) => reader.orders(request));
  const reservations = entries((request) => reader.reservations(request));
  const shipments = entries((request) => reader.shipments(request));
  let heads = await Promise.all([headOf(orders), headOf(reservations), headOf(shipments)]);
  for (;;) {
    const [order, reservation, shipment] = heads;
    const orderId = Math.min(...heads.map((head) => head?.orderId ?? Number.POSITIVE_INFINITY));
    if (orderId === Number.POSITIVE_INFINITY) return;
    const here = <Item extends { orderId: number }>(item: Item | undefined): Item | undefined =>
      item?.orderId === orderId ? item : undefined;
    yield { orderId, order: here(order), reservation: here(reservation), shipment: here(shipment) };
    heads = [
      here(order) ? await headOf(orders) : order,
      here(reservation) ? await headOf(reservations) : reservation,
      here(shipment) ? await headOf(shipments) : shipment,
    ];
  }
}

async function headOf<Item>(items: AsyncGenerator<Item>): Promise<Item | undefined> {
  const { value, done } = await items.next();
  return done ? undefined : (value as Item);
}

/** All entries of a book; the next page is on its way while one is gone through. */
async function* entries<Item>(read: (request: PageRequest) => Promise<Page<Item>>): AsyncGenerator<Item> {
  let coming: Promise<Page<Item>> | undefined = read({});
  while (coming) {
    const { items, next }: Page<Item> = await coming;
    coming = next === null ? undefined : read({ after: next });
    // Who stops in the middle does not hear of its failure; who goes on does.
    coming?.catch(() => undefined);
    yield* items;
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
