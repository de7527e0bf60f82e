/** A real week of a real shop, invoice by invoice, through all four services over HTTP: every total exact, the books balanced. */
import { beforeAll, expect, test } from '@jest/globals';
import { startEngine } from '../support/engine.ts';
import { type Books, customerOf, playWeek, type PlayedWeek, SPARE, unitsSold } from '../support/played-week.ts';
import {
  articleOf,
  centsOf,
  type Invoice,
  isCancellation,
  isOrdinary,
  readWeek,
  totalOf,
  unitsOf,
} from '../support/retail-week.ts';

let week: Invoice[];
let ordinary: Invoice[];
/** The ordinary invoices that were not taken back whole. */
let kept: Invoice[];
let played: PlayedWeek;

beforeAll(async () => {
  week = await readWeek();
  ordinary = week.filter(isOrdinary);
  // As patient as the program is by itself.
  const engine = await startEngine({ env: { CALL_TIMEOUT: '1500ms', ORDER_LEASE: '5s' } });
  played = await playWeek(week, `http://127.0.0.1:${engine.port}/api/v1`, engine.databaseUrl);
  const cancelled = new Set(played.whole.map(({ order }) => order));
  kept = ordinary.filter((invoice) => !cancelled.has(invoice));
}, 180_000);

const sumOf = (units: Iterable<number>): number => [...units].reduce((sum, each) => sum + each, 0);
const productOf = (article: string): number => played.products.get(article)?.body.id as number;
const statusesOf = (answers: Iterable<number>): number[] => [...new Set(answers)];

/** Asserts the stock of every product: the spare units, the remaining units of the week, and the reserved ones. */
function expectStock({ stock, held }: Books, gone: Map<string, number>, reserved: Map<string, number>): void {
  const wanted = [...unitsSold(ordinary)].map(([article, sold]): [number, [number, number]] => [
    productOf(article),
    [sold + SPARE - (gone.get(article) ?? 0), reserved.get(article) ?? 0],
  ]);
  expect(stock).toEqual(new Map(wanted));
  expect(held).toBe(sumOf(reserved.values()));
}

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

test('every article of the week becomes a product with exactly its price', () => {
  for (const [article, { status, body }] of played.products)
    expect({ status, body }).toMatchObject({ status: 201, body: { sku: article } });
  expect(played.products.size).toBe(3_825);
  expectStock(played.books.stocked, new Map(), new Map());
});

test('every ordinary invoice becomes a CONFIRMED order of all its lines, its total exact to the cent', () => {
  for (const invoice of ordinary) {
    const { status, body } = played.placed.get(invoice.number) ?? {};
    expect([invoice.number, status, body]).toMatchObject([invoice.number, 201, { status: 'CONFIRMED' }]);
    const { customerId, items, totalPrice } = body as NonNullable<typeof body>;
    expect(centsOf(String(totalPrice))).toBe(totalOf(invoice));
    expect(customerId).toBe(customerOf(invoice));
    const units = new Map<number, number>();
    for (const item of items) units.set(item.productId, (units.get(item.productId) ?? 0) + item.quantity);
    expect(units).toEqual(new Map([...unitsOf(invoice)].map(([article, quantity]) => [productOf(article), quantity])));
    const prices = invoice.lines.map((line) => `${productOf(articleOf(line))} at ${centsOf(line.unitPrice)}`);
    expect(new Set(items.map((item) => `${item.productId} at ${centsOf(String(item.priceAtPurchase))}`))).toEqual(
      new Set(prices),
    );
  }
});

test('what the database holds is the same to the cent, and every unit sold is reserved, no more', () => {
  const { placed } = played.books;
  expect(placed.orders).toEqual([{ status: 'CONFIRMED', count: 584, total: '258154.28', owing: 0 }]);
  expectStock(placed, new Map(), unitsSold(ordinary));
});

test('an invoice that was taken back whole is a cancelled order, and its units are free again', () => {
  expect(played.whole.map(({ order }) => order.number).toSorted()).toEqual(['537217', '537407', '537410']);
  for (const { reply } of played.whole) expect(reply.status).toBe(204);
  expectStock(played.books.takenBack, new Map(), unitsSold(kept));
});

test('every other order is shipped and its units leave the stock', () => {
  expect([...played.shipped.keys()].toSorted()).toEqual(kept.map(({ number }) => number).toSorted());
  expect(statusesOf(played.shipped.values())).toEqual([204]);
  expectStock(played.books.shipped, unitsSold(kept), new Map());
});

test('a part taken back after shipping does not cancel its order', () => {
  expect(played.parts).toHaveLength(12);
  for (const { order, reply } of played.parts)
    expect([order.number, reply.status, reply.body]).toMatchObject([order.number, 409, { status: 'SHIPPED' }]);
  expectStock(played.books.refused, unitsSold(kept), new Map());
});

test('every parcel that arrives makes its order DELIVERED, and nothing is owed in the end', () => {
  expect([...played.arrived.keys()].toSorted()).toEqual(kept.map(({ number }) => number).toSorted());
  expect(statusesOf(played.arrived.values())).toEqual([201]);
  expect(played.books.arrived.orders).toMatchObject([
    { status: 'CANCELLED', count: 3, owing: 0 },
    { status: 'DELIVERED', count: 581, owing: 0 },
  ]);
  expectStock(played.books.arrived, unitsSold(kept), new Map());
});
