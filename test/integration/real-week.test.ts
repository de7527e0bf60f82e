/** A real week of a real shop, invoice by invoice, through all four services over HTTP: every total exact, the books balanced. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Service, ServiceBroker } from 'moleculer';
import type { WithGateway } from '../../mixins/gateway/gateway.mixin.ts';
import { apiService } from '../../services/api/api.service.ts';
import inventory from '../../services/inventory/inventory.service.ts';
import orders from '../../services/orders/orders.service.ts';
import type { OrderView } from '../../services/orders/orders.types.ts';
import tracking from '../../services/tracking/tracking.service.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { createDatabase, query } from '../support/postgres.ts';
import {
  articleOf,
  centsOf,
  type Invoice,
  type InvoiceLine,
  isCancellation,
  isOrdinary,
  readWeek,
  totalOf,
  unitsOf,
} from '../support/retail-week.ts';
import { programBroker } from '../support/broker.ts';

const CONCURRENCY = 16;
/** The shop did not know every customer. */
const UNKNOWN_CUSTOMER = 1;
/** Stays in stock when all is sold. */
const SPARE = 7;

let broker: ServiceBroker;
let database: string;
let url: string;
let week: Invoice[];
let ordinary: Invoice[];
/** Articles to product ids: one product a stock code and price, as 8 invoices sell one code at two prices. */
const products = new Map<string, number>();
/** Invoice numbers to the orders they became. */
const placed = new Map<string, OrderView>();
const cancelled = new Set<string>();

beforeAll(async () => {
  database = await createDatabase();
  broker = programBroker({ DATABASE_URL: database });
  for (const schema of [inventory, tracking, orders]) broker.createService(schema);
  const api = broker.createService(apiService());
  await broker.start();
  url = `http://127.0.0.1:${(api as unknown as Service & WithGateway).http.address.port}/api/v1`;
  week = await readWeek();
  ordinary = week.filter(isOrdinary);
});

afterAll(async () => {
  await broker?.stop();
});

/** Runs the work for each in order, a few at a time. */
async function inOrder<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** Units by article, of all these invoices together. */
function unitsSold(invoices: readonly Invoice[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const invoice of invoices) {
    for (const [article, quantity] of unitsOf(invoice)) units.set(article, (units.get(article) ?? 0) + quantity);
  }
  return units;
}

const sumOf = (units: Iterable<number>): number => [...units].reduce((sum, each) => sum + each, 0);

/** Asserts what every product has now: the spare units and what of the week's units is still there, and what is reserved. */
async function expectStock(gone: Map<string, number>, reserved: Map<string, number>): Promise<void> {
  const rows = await query<{ id: string; quantity: string; reserved_quantity: string }>(
    database,
    'SELECT id, quantity, reserved_quantity FROM inventory.products',
  );
  const sold = unitsSold(ordinary);
  const found = new Map(rows.map((row) => [Number(row.id), [Number(row.quantity), Number(row.reserved_quantity)]]));
  const wanted = new Map(
    [...products].map(([article, id]) => [
      id,
      [(sold.get(article) as number) + SPARE - (gone.get(article) ?? 0), reserved.get(article) ?? 0],
    ]),
  );
  expect(found).toEqual(wanted);
  const [held] = await query<{ units: string }>(
    database,
    `SELECT coalesce(sum(quantity), 0) AS units FROM inventory.reservation_lines WHERE status = 'HELD'`,
  );
  expect(Number(held?.units)).toBe(sumOf(reserved.values()));
}

const kept = (): Invoice[] => ordinary.filter((invoice) => !cancelled.has(invoice.number));
const orderOf = (invoice: Invoice): OrderView => placed.get(invoice.number) as OrderView;

test('the week is what it was: 699 invoices, of which 70 cancellations and 45 write-offs are no orders', () => {
  expect(week).toHaveLength(699);
  expect(sumOf(week.map((invoice) => invoice.lines.length))).toBe(14_594);
  expect(week.filter(isCancellation)).toHaveLength(70);
  // What else is left out is one line of broken or lost goods each, at no price.
  const others = week.filter((invoice) => !isOrdinary(invoice) && !isCancellation(invoice));
  expect(others).toHaveLength(45);
  for (const { lines } of others) expect(lines).toEqual([expect.objectContaining({ unitPrice: '0' })]);
  expect(ordinary).toHaveLength(584);
  expect(sumOf(ordinary.map((invoice) => invoice.lines.length))).toBe(14_375);
  expect(ordinary.reduce((sum, invoice) => sum + totalOf(invoice), 0n)).toBe(258_154_28n);
});

test('every article of the week becomes a product with exactly its price', async () => {
  const articles = new Map<string, InvoiceLine>();
  for (const { lines } of ordinary) for (const line of lines) articles.set(articleOf(line), line);
  const sold = unitsSold(ordinary);
  await inOrder(articles, async ([article, { description, stockCode, unitPrice }]) => {
    const initialStock = (sold.get(article) as number) + SPARE;
    const name = description.trim() || stockCode;
    const body = { sku: article, name, price: Number(unitPrice), initialStock };
    const made = await http<{ id: number }>('POST', `${url}/inventory`, { body });
    expect({ status: made.status, body: made.body }).toMatchObject({ status: 201, body: { sku: article } });
    products.set(article, made.body.id);
  });
  expect(products.size).toBe(3_825);
  await expectStock(new Map(), new Map());
});

test('every ordinary invoice becomes a CONFIRMED order of all its lines, its total exact to the cent', async () => {
  await inOrder(ordinary, async (invoice) => {
    const body = {
      customerId: Number(invoice.customerId || UNKNOWN_CUSTOMER),
      items: invoice.lines.map((line) => ({ productId: products.get(articleOf(line)), quantity: line.quantity })),
      deliveryAddress: invoice.country,
      carrier: invoice.country === 'United Kingdom' ? 'Royal Mail' : 'DHL',
    };
    const headers = { 'Idempotency-Key': `invoice-${invoice.number}` };
    const reply = await http<OrderView>('POST', `${url}/orders`, { body, headers });
    expect([invoice.number, reply.status, reply.body.status]).toEqual([invoice.number, 201, 'CONFIRMED']);
    placed.set(invoice.number, reply.body);
  });
  for (const invoice of ordinary) {
    const { customerId, items, totalPrice } = orderOf(invoice);
    expect(centsOf(String(totalPrice))).toBe(totalOf(invoice));
    expect(customerId).toBe(Number(invoice.customerId || UNKNOWN_CUSTOMER));
    const units = new Map<number, number>();
    for (const item of items) units.set(item.productId, (units.get(item.productId) ?? 0) + item.quantity);
    const wanted = [...unitsOf(invoice)].map(([article, quantity]) => [products.get(article), quantity] as const);
    expect(units).toEqual(new Map(wanted));
    const prices = invoice.lines.map((line) => `${products.get(articleOf(line))} at ${centsOf(line.unitPrice)}`);
    expect(new Set(items.map((item) => `${item.productId} at ${centsOf(String(item.priceAtPurchase))}`))).toEqual(
      new Set(prices),
    );
  }
});

test('what the database holds is the same to the cent, and every unit sold is reserved, no more', async () => {
  const [sum] = await query<{ count: string; total: string }>(
    database,
    `SELECT count(*), sum(total_price) AS total FROM orders.orders WHERE status = 'CONFIRMED'`,
  );
  expect(sum).toEqual({ count: '584', total: '258154.28' });
  await expectStock(new Map(), unitsSold(ordinary));
});

test('an invoice that was taken back whole is a cancelled order, and its units are free again', async () => {
  for (const back of week.filter(isCancellation)) {
    const whole = kept().find((invoice) => invoice.customerId === back.customerId && sameUnits(invoice, back));
    if (!whole) continue;
    expect((await http('PUT', `${url}/orders/${orderOf(whole).orderId}/cancel`)).status).toBe(204);
    cancelled.add(whole.number);
  }
  expect([...cancelled].toSorted()).toEqual(['537217', '537407', '537410']);
  await eventually(() => expectStock(new Map(), unitsSold(kept())));
});

test('every other order is shipped and its units leave the stock', async () => {
  await inOrder(kept(), async (invoice) => {
    expect((await http('PUT', `${url}/orders/${orderOf(invoice).orderId}/ship`)).status).toBe(204);
  });
  await eventually(() => expectStock(unitsSold(kept()), new Map()), { withinMs: 20_000 });
});

test('a part taken back after shipping does not cancel its order', async () => {
  const refused: string[] = [];
  for (const back of week.filter(isCancellation)) {
    const source = kept().find(
      (invoice) =>
        invoice.customerId === back.customerId && invoice.number < back.number.slice(1) && contains(invoice, back),
    );
    if (!source) continue;
    const reply = await http('PUT', `${url}/orders/${orderOf(source).orderId}/cancel`);
    expect([source.number, reply.status, reply.body.status]).toEqual([source.number, 409, 'SHIPPED']);
    refused.push(back.number);
  }
  expect(refused).toHaveLength(12);
  await expectStock(unitsSold(kept()), new Map());
});

test('every parcel that arrives makes its order DELIVERED, and nothing is owed in the end', async () => {
  await inOrder(kept(), async (invoice) => {
    const { trackingNumber } = orderOf(invoice);
    const body = { status: 'DELIVERED', location: invoice.country };
    expect((await http('POST', `${url}/tracking/${trackingNumber}/events`, { body })).status).toBe(201);
  });
  await eventually(
    async () => {
      const rows = await query(
        database,
        `SELECT status, count(*)::int AS orders, count(due_at)::int + count(parked_at)::int AS owing
           FROM orders.orders GROUP BY status ORDER BY status`,
      );
      expect(rows).toEqual([
        { status: 'CANCELLED', orders: 3, owing: 0 },
        { status: 'DELIVERED', orders: 581, owing: 0 },
      ]);
    },
    { withinMs: 20_000 },
  );
  await expectStock(unitsSold(kept()), new Map());
});

function sameUnits(invoice: Invoice, back: Invoice): boolean {
  return (
    unitsOf(invoice).size === unitsOf(back).size &&
    [...unitsOf(back)].every(([article, units]) => unitsOf(invoice).get(article) === units)
  );
}

function contains(invoice: Invoice, back: Invoice): boolean {
  const sold = unitsOf(invoice);
  return [...unitsOf(back)].every(([article, units]) => (sold.get(article) ?? 0) >= units);
}
