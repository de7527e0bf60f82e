/** Reads the books of orders, inventory and tracking over the mesh, and merges them by order id. */
import type { Context } from 'moleculer';
import type {
  Books,
  ImbalanceRecord,
  OrderRecord,
  ReservationRecord,
  ShipmentRecord,
} from '../../../machines/reconciliation/books.ts';
import { Failure, ServiceUnavailable } from '../../../machines/shared/failure.ts';
import type { KeysetPage, KeysetRequest } from '../../../mixins/database/keyset.ts';

/** The time limit for one page. */
const PAGE_TIMEOUT_MS = 10_000;

/** Reads the books, a page at a time. */
export interface BookReader {
  orders(request: KeysetRequest): Promise<KeysetPage<OrderRecord>>;
  reservations(request: KeysetRequest): Promise<KeysetPage<ReservationRecord>>;
  shipments(request: KeysetRequest): Promise<KeysetPage<ShipmentRecord>>;
  imbalances(): Promise<ImbalanceRecord[]>;
}

/** Reads the books through calls in `ctx`. An unavailable service is reported as ServiceUnavailable. */
export function booksOver(ctx: Context): BookReader {
  return {
    orders: (request) => ask(ctx, 'orders', 'states', request),
    reservations: (request) => ask(ctx, 'inventory', 'reservations', request),
    shipments: (request) => ask(ctx, 'tracking', 'shipments', request),
    imbalances: () => ask(ctx, 'inventory', 'imbalances', {}),
  };
}

async function ask<Answer>(ctx: Context, service: string, action: string, params: KeysetRequest): Promise<Answer> {
  try {
    return await ctx.call<Answer, KeysetRequest>(`${service}.${action}`, params, { timeout: PAGE_TIMEOUT_MS });
  } catch (error) {
    if (error instanceof Failure && !error.retryable) throw error;
    const message = `Reconciliation needs ${service}, which did not respond in time. Retry when ${service} is available`;
    throw Object.assign(new ServiceUnavailable(message, { missing: [service] }), { cause: error });
  }
}

/** Merges the three books by order id, yielding a run of order ids at a time. */
export async function* sideBySide(reader: BookReader): AsyncGenerator<Books[]> {
  const orders = new Book((request) => reader.orders(request));
  const reservations = new Book((request) => reader.reservations(request));
  const shipments = new Book((request) => reader.shipments(request));
  const all = [orders, reservations, shipments];
  for (;;) {
    await Promise.all(all.map((book) => book.turn()));
    const stretch: Books[] = [];
    // Stops when a book is dry, because its next page may begin with a lower order id than the others have.
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

/** One book, read page by page; the next page is fetched while the current one is merged. */
class Book<Item extends { orderId: number }> {
  readonly #read: (request: KeysetRequest) => Promise<KeysetPage<Item>>;
  #items: Item[] = [];
  #at = 0;
  #coming: Promise<KeysetPage<Item>> | undefined;

  constructor(read: (request: KeysetRequest) => Promise<KeysetPage<Item>>) {
    this.#read = read;
    this.#ask({});
  }

  /** The order id of the next entry; infinity when this page has no more. */
  get head(): number {
    return this.#items[this.#at]?.orderId ?? Number.POSITIVE_INFINITY;
  }

  /** True when the page is used up and is not the last one. */
  get dry(): boolean {
    return this.#at >= this.#items.length && this.#coming !== undefined;
  }

  /** Moves to the next page when this one is used up. */
  async turn(): Promise<void> {
    if (!this.dry) return;
    const { items, next } = (await this.#coming) as KeysetPage<Item>;
    this.#items = items;
    this.#at = 0;
    this.#coming = undefined;
    if (next !== null) this.#ask({ after: next });
  }

  /** The next entry, if it belongs to the order. */
  take(orderId: number): Item | undefined {
    return this.head === orderId ? this.#items[this.#at++] : undefined;
  }

  #ask(request: KeysetRequest): void {
    this.#coming = this.#read(request);
    // `turn` reports a failure; this keeps one from being unhandled when the merge stops early.
    this.#coming.catch(() => undefined);
  }
}

/** The entries of these order ids, in as many pages as it takes. */
export async function byId<Item extends { orderId: number }>(
  read: (request: KeysetRequest) => Promise<KeysetPage<Item>>,
  ids: number[],
): Promise<Map<number, Item>> {
  const found = new Map<number, Item>();
  for (let after: number | null = 0; after !== null; ) {
    const page: KeysetPage<Item> = await read({ ids, after });
    for (const item of page.items) found.set(item.orderId, item);
    after = page.next;
  }
  return found;
}
