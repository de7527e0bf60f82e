/** The promise: what the histories announce has reached the stream, in order per order, and nothing else has. */
import type { DomainEvent, StockChanged } from '../../../machines/shared/domain-event.ts';
import type { Books } from '../books.ts';
import { walk } from './chart-walk.ts';
import type { Check, Finding } from './promise.ts';

const ORDER_EVENT = /^order-(\d+)-(\d+)(?:-(\d+))?$/;
const NUMBERED = /^(product|shipment)-(\d+)-(\d+)$/;

export const events: Check = {
  promise: 'every announced event is in the stream, in order per key, and none that was not announced',
  *check(books) {
    if (books.events === undefined) return;
    const firsts = firstOfEach(books.events);
    yield* ofOrders(books, firsts);
    yield* ofOthers(firsts);
    yield* lastWords(books);
  },
};

/** Delivery is at least once: an event counts where it came first. */
function firstOfEach(all: readonly DomainEvent[]): DomainEvent[] {
  const seen = new Set<string>();
  return all.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function* ofOrders({ orders }: Books, firsts: readonly DomainEvent[]): Generator<Finding> {
  const told = new Map<number, DomainEvent[]>();
  for (const event of firsts) {
    // Calls for an operator are numbered by versions, and are no part of the history.
    const match = ORDER_EVENT.exec(event.id);
    if (!match) continue;
    const orderId = Number(match[1]);
    const list = told.get(orderId);
    if (list) list.push(event);
    else told.set(orderId, [event]);
  }
  for (const [orderId, list] of told) {
    if (!orders.get(orderId)?.view && orders.get(orderId)?.unread === undefined)
      yield { orderId, what: `the stream has ${list.map(({ id }) => id).join(', ')}, and there is no such order` };
  }
  for (const { orderId, view, history } of orders.values()) {
    if (!view) continue;
    const expected = walk(orderId, history).announced.map(({ id, type }) => `${id} ${type}`);
    const came = (told.get(orderId) ?? []).map(({ id, type }) => `${id} ${type}`);
    if (came.join() === expected.join()) continue;
    const missing = expected.filter((event) => !came.includes(event));
    const extra = came.filter((event) => !expected.includes(event));
    if (missing.length > 0) yield { orderId, what: `the stream lacks ${missing.join(', ')}` };
    if (extra.length > 0)
      yield { orderId, what: `the stream has ${extra.join(', ')}, which its history does not announce` };
    if (missing.length + extra.length === 0) yield { orderId, what: `its events came as ${came.join(', ')}` };
  }
}

/** Changes of products and shipments are numbered without gaps. */
function* ofOthers(firsts: readonly DomainEvent[]): Generator<Finding> {
  const last = new Map<string, number>();
  for (const { id } of firsts) {
    const match = NUMBERED.exec(id);
    if (!match) continue;
    const key = `${match[1]}-${match[2]}`;
    const number = Number(match[3]);
    const before = last.get(key);
    if (before !== undefined && number !== before + 1) yield { what: `${id} came after ${key}-${before}` };
    last.set(key, number);
  }
}

/** The last that was said of a product is how it is. */
function* lastWords({ events: all, stock }: Books): Generator<Finding> {
  const said = new Map<string, StockChanged>();
  for (const event of all ?? []) if (event.type === 'stock.changed') said.set(event.key, event.data);
  for (const { product, quantity, reservedQuantity } of stock) {
    const data = said.get(`product-${product.id}`);
    if (data?.quantity !== quantity || data.reservedQuantity !== reservedQuantity)
      yield {
        what: `product ${product.id} has ${quantity} with ${reservedQuantity} reserved; the last event said ${JSON.stringify(data)}`,
      };
  }
}
