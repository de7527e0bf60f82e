/** The books of a round, read from the API when it is over: orders with their histories, stock, shipments, events. */
import { setTimeout as pause } from 'node:timers/promises';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import type { Explanation, HistoryEntryView, OrderView } from '../../services/orders/orders.types.ts';
import type { Log } from './log.ts';
import type { Product, Shop } from './shop.ts';
import type { Takeover } from './takeover.ts';
import { readStream } from './stream.ts';

const AT_ONCE = 16;
const PAGE = 200;
const READ_TIMEOUT_MS = 15_000;
const AGAIN_AFTER_MS = 250;
/** A read that fails, because something is not back yet, is repeated for this long. */
const PATIENCE_MS = 30_000;
/** After this long in failed reads, the rest gets one try each, so that a dead deployment is reported soon. */
const LOST_AT_MOST_MS = 120_000;

export interface OrderBook {
  readonly orderId: number;
  /** Why it could not be read. */
  readonly unread?: string;
  /** Undefined when the order does not exist. */
  readonly view: OrderView | undefined;
  readonly history: readonly HistoryEntryView[];
  readonly explain: Explanation | undefined;
  readonly shipment: ShipmentBook | undefined;
}

export interface ShipmentBook {
  readonly orderId: number;
  readonly trackingNumber: string;
  readonly status: string;
}

export interface StockBook {
  readonly product: Product;
  readonly quantity: number;
  readonly reservedQuantity: number;
  readonly availableStock: number;
}

/** Everything that the checker sees. */
export interface Books {
  readonly log: Log;
  readonly orders: ReadonlyMap<number, OrderBook>;
  readonly stock: readonly StockBook[];
  /** Undefined when the deployment has no such report. */
  readonly reconciliation: readonly unknown[] | undefined;
  /** In the order of the stream; undefined when it cannot be read from here. */
  readonly events: readonly DomainEvent[] | undefined;
  /** What went wrong while the round was on. */
  readonly incidents: readonly string[];
  /** Nodes that do not serve, with the reason. */
  readonly deaf: readonly string[];
  /** Takeovers that nothing else disturbed; undefined without faults. */
  readonly takeovers: readonly Takeover[] | undefined;
}

export class BookReader {
  readonly #shop: Shop;
  readonly #products: readonly Product[];
  readonly #natsUrl: string | undefined;
  #lostMs = 0;

  constructor(shop: Shop, products: readonly Product[], natsUrl: string | undefined) {
    this.#shop = shop;
    this.#products = products;
    this.#natsUrl = natsUrl;
  }

  /** The ids of all orders of the round's products, whoever placed them. */
  async orderIds(): Promise<Set<number>> {
    const ids = new Set<number>();
    for (const { id } of this.#products) {
      for (let cursor: string | null = ''; cursor !== null; ) {
        const from = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: { orders: { orderId: number }[]; next: string | null } = await this.get(
          `/orders?productId=${id}&limit=${PAGE}${from}`,
        );
        for (const { orderId } of page.orders) ids.add(orderId);
        cursor = page.next;
      }
    }
    return ids;
  }

  /** How many orders of the round still wait for one of the peers. */
  async waiting(): Promise<number> {
    const ids = new Set<number>();
    for (const { id } of this.#products) {
      for (const peer of ['inventory', 'tracking']) {
        const { orders } = await this.get<{ orders: { orderId: number }[] }>(
          `/orders?productId=${id}&waitingFor=${peer}&limit=${PAGE}`,
        );
        for (const { orderId } of orders) ids.add(orderId);
      }
    }
    return ids.size;
  }

  async orders(ids: Iterable<number>): Promise<Map<number, OrderBook>> {
    const books = new Map<number, OrderBook>();
    const queue = [...ids];
    const work = async (): Promise<void> => {
      for (let id = queue.pop(); id !== undefined; id = queue.pop())
        books.set(id, await this.#order(id).catch(unreadable(id)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return books;
  }

  stock(): Promise<StockBook[]> {
    return Promise.all(
      this.#products.map(async (product) => ({
        product,
        ...(await this.get<Omit<StockBook, 'product'>>(`/inventory/${product.id}`)),
      })),
    );
  }

  /** What the deployment itself finds wrong; undefined when it has no such report. */
  async reconciliation(): Promise<unknown[] | undefined> {
    const report = await this.#find<unknown>('/reports/reconciliation');
    if (report === undefined) return undefined;
    return Array.isArray(report) ? report : [report];
  }

  async stream(): Promise<{ events: readonly DomainEvent[]; pending: number } | undefined> {
    return this.#natsUrl === undefined ? undefined : await readStream(this.#natsUrl);
  }

  async get<T>(path: string): Promise<T> {
    const found = await this.#find<T>(path);
    if (found === undefined) throw new Error(`GET ${path}: 404`);
    return found;
  }

  async #find<T>(path: string): Promise<T | undefined> {
    const began = performance.now();
    for (;;) {
      const { status, body, failure } = await this.#shop.request('GET', path, undefined, {}, READ_TIMEOUT_MS);
      if (status === 200) return body as T;
      if (status === 404) return undefined;
      const tookMs = performance.now() - began;
      if (tookMs > PATIENCE_MS || this.#lostMs > LOST_AT_MOST_MS) {
        this.#lostMs += tookMs;
        throw new Error(`GET ${path}: ${status ?? failure} ${JSON.stringify(body)}`);
      }
      await pause(AGAIN_AFTER_MS);
    }
  }

  async #order(orderId: number): Promise<OrderBook> {
    const view = await this.#find<OrderView>(`/orders/${orderId}`);
    const [history, explain, shipment] = await Promise.all([
      this.#find<HistoryEntryView[]>(`/orders/${orderId}/history`),
      this.#find<Explanation>(`/orders/${orderId}/explain`),
      view?.trackingNumber ? this.#find<ShipmentBook>(`/tracking/${view.trackingNumber}`) : undefined,
    ]);
    return { orderId, view, history: history ?? [], explain, shipment };
  }
}

const unreadable =
  (orderId: number) =>
  (error: Error): OrderBook => ({
    orderId,
    unread: error.message,
    view: undefined,
    history: [],
    explain: undefined,
    shipment: undefined,
  });
