/** The real week of the shop, replayed over HTTP invoice by invoice, with the observations after each step. */
import type { OrderView } from '../../services/orders/orders.types.ts';
import { eventually } from './eventually.ts';
import { http, type Reply } from './http.ts';
import { query } from './postgres.ts';
import { articleOf, type Invoice, type InvoiceLine, isCancellation, isOrdinary, unitsOf } from './retail-week.ts';

const CONCURRENCY = 16;
/** The shop did not know every customer. */
const UNKNOWN_CUSTOMER = 1;
/** Stays in stock when all is sold. */
export const SPARE = 7;

/** What the database said of the stock and the orders. */
export interface Books {
  /** By product: units there are, and units reserved. */
  stock: Map<number, [quantity: number, reserved: number]>;
  /** Units of all reservations that are held. */
  held: number;
  /** By status: how many orders, what they come to together, and how many of them something is owed for. */
  orders: { status: string; count: number; total: string; owing: number }[];
}

/** A return invoice, the order it belongs to, and the answer to cancelling that order. */
interface TakenBack {
  back: Invoice;
  order: Invoice;
  reply: Reply;
}

export interface PlayedWeek {
  /** Articles to what making a product of them was answered. */
  products: Map<string, Reply<{ id: number; sku: string }>>;
  /** Invoice numbers to what ordering them was answered. */
  placed: Map<string, Reply<OrderView>>;
  /** Taken back whole before anything was shipped. */
  whole: TakenBack[];
  /** Invoice numbers to the statuses that shipping them, and the arrival of the parcel, were answered. */
  shipped: Map<string, number>;
  /** Taken back in part after shipping. */
  parts: TakenBack[];
  arrived: Map<string, number>;
  /** The books after each step. */
  books: Record<'stocked' | 'placed' | 'takenBack' | 'shipped' | 'refused' | 'arrived', Books>;
}

/** Plays the week on an empty engine: `url` is its gateway with `/api/v1`, `database` where it keeps everything. */
export async function playWeek(week: readonly Invoice[], url: string, database: string): Promise<PlayedWeek> {
  const ordinary = week.filter(isOrdinary);
  const backs = week.filter(isCancellation);
  const products: PlayedWeek['products'] = new Map();
  const placed: PlayedWeek['placed'] = new Map();
  const [shipped, arrived] = [new Map<string, number>(), new Map<string, number>()];
  const [whole, parts]: [TakenBack[], TakenBack[]] = [[], []];
  const orderUrl = (invoice: Invoice): string => `${url}/orders/${placed.get(invoice.number)?.body.orderId}`;
  const cancel = (invoice: Invoice) => http('PUT', `${orderUrl(invoice)}/cancel`);

  const sold = unitsSold(ordinary);
  await inOrder(articlesOf(ordinary), async ([article, { description, stockCode, unitPrice }]) => {
    const initialStock = (sold.get(article) as number) + SPARE;
    const name = description.trim() || stockCode;
    const body = { sku: article, name, price: Number(unitPrice), initialStock };
    products.set(article, await http('POST', `${url}/inventory`, { body }));
  });
  const stocked = await booksOf(database);

  await inOrder(ordinary, async (invoice) => {
    const items = invoice.lines.map((line) => {
      return { productId: products.get(articleOf(line))?.body.id, quantity: line.quantity };
    });
    const carrier = invoice.country === 'United Kingdom' ? 'Royal Mail' : 'DHL';
    const body = { customerId: customerOf(invoice), items, deliveryAddress: invoice.country, carrier };
    const headers = { 'Idempotency-Key': `invoice-${invoice.number}` };
    placed.set(invoice.number, await http('POST', `${url}/orders`, { body, headers }));
  });
  const afterPlacing = await booksAtRest(database);

  for (const back of backs) {
    const taken = new Set(whole.map(({ order }) => order));
    const order = ordinary.find((invoice) => !taken.has(invoice) && isOf(invoice, back) && sameUnits(invoice, back));
    if (order) whole.push({ back, order, reply: await cancel(order) });
  }
  const takenBack = await booksAtRest(database);

  const cancelled = new Set(whole.map(({ order }) => order));
  const kept = ordinary.filter((invoice) => !cancelled.has(invoice));
  await inOrder(kept, async (invoice) => {
    shipped.set(invoice.number, (await http('PUT', `${orderUrl(invoice)}/ship`)).status);
  });
  const afterShipping = await booksAtRest(database);

  for (const back of backs) {
    const before = (invoice: Invoice): boolean => invoice.number < back.number.slice(1);
    const order = kept.find((invoice) => isOf(invoice, back) && before(invoice) && contains(invoice, back));
    if (order) parts.push({ back, order, reply: await cancel(order) });
  }
  const refused = await booksAtRest(database);

  await inOrder(kept, async (invoice) => {
    const trackingNumber = placed.get(invoice.number)?.body.trackingNumber;
    const body = { status: 'DELIVERED', location: invoice.country };
    arrived.set(invoice.number, (await http('POST', `${url}/tracking/${trackingNumber}/events`, { body })).status);
  });
  // Tracking tells orders of it by events.
  const atHome = await booksAtRest(database, (books) => books.orders.every(({ status }) => status !== 'SHIPPED'));
  const books = { stocked, placed: afterPlacing, takenBack, shipped: afterShipping, refused, arrived: atHome };
  return { products, placed, whole, shipped, parts, arrived, books };
}

/** Units by article, of all these invoices together. */
export function unitsSold(invoices: readonly Invoice[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const invoice of invoices) {
    for (const [article, quantity] of unitsOf(invoice)) units.set(article, (units.get(article) ?? 0) + quantity);
  }
  return units;
}

export const customerOf = (invoice: Invoice): number => Number(invoice.customerId || UNKNOWN_CUSTOMER);

function articlesOf(invoices: readonly Invoice[]): Map<string, InvoiceLine> {
  return new Map(invoices.flatMap(({ lines }) => lines.map((line) => [articleOf(line), line] as const)));
}

const isOf = (invoice: Invoice, back: Invoice): boolean => invoice.customerId === back.customerId;

function contains(invoice: Invoice, back: Invoice): boolean {
  const sold = unitsOf(invoice);
  return [...unitsOf(back)].every(([article, units]) => (sold.get(article) ?? 0) >= units);
}

function sameUnits(invoice: Invoice, back: Invoice): boolean {
  const sold = unitsOf(invoice);
  const taken = unitsOf(back);
  return sold.size === taken.size && [...taken].every(([article, units]) => sold.get(article) === units);
}

/** Runs the work for each in order, a few at a time. */
async function inOrder<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** The books once nothing is owed any more, and `also` is so; as they are after 20 s in any case. */
async function booksAtRest(database: string, also: (books: Books) => boolean = () => true): Promise<Books> {
  let books = await booksOf(database);
  const look = async (): Promise<void> => {
    books = await booksOf(database);
    if (books.orders.some(({ owing }) => owing > 0) || !also(books)) throw new Error('orders are not at rest');
  };
  await eventually(look, { withinMs: 20_000 }).catch(() => undefined);
  return books;
}

async function booksOf(database: string): Promise<Books> {
  const stock = await query<{ id: string; quantity: string; reserved_quantity: string }>(
    database,
    'SELECT id, quantity, reserved_quantity FROM inventory.products',
  );
  const [held] = await query<{ units: number }>(
    database,
    `SELECT coalesce(sum(quantity), 0)::int AS units FROM inventory.reservation_lines WHERE status = 'HELD'`,
  );
  const orders = await query<Books['orders'][number]>(
    database,
    `SELECT status, count(*)::int, sum(total_price) AS total, count(due_at)::int + count(parked_at)::int AS owing
       FROM orders.orders GROUP BY status ORDER BY status`,
  );
  return {
    stock: new Map(stock.map((row) => [Number(row.id), [Number(row.quantity), Number(row.reserved_quantity)]])),
    held: held?.units ?? 0,
    orders,
  };
}
