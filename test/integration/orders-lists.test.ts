/** Customers' lists that are asked for together: each caller gets its own customer's page, whole and newest first. */
import { beforeAll, expect, test } from '@jest/globals';
import { PAGES } from '../../services/orders/store/customer-lists.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { query } from '../support/postgres.ts';

const CUSTOMERS = 40;
const ORDERS_EACH = 3;

interface Listed {
  orderId: number;
}

let engine: Engine;
/** The orders of each customer, newest first. */
const placed = new Map<number, number[]>();
beforeAll(async () => {
  engine = await startEngine();
  const body = bodyOf(await engine.product({ stock: 1_000 }));
  for (let nth = 0; nth < ORDERS_EACH; nth++) {
    await Promise.all(
      Array.from({ length: CUSTOMERS }, async (_, customer) => {
        const customerId = 7_000 + customer;
        const { body: order } = await engine.post({ ...body, customerId });
        placed.set(customerId, [order.orderId as number, ...(placed.get(customerId) ?? [])]);
      }),
    );
  }
});

const idsOf = (orders: Listed[]): number[] => orders.map(({ orderId }) => orderId);

const page = (customerId: number, limit: number, cursor?: string) =>
  engine.broker.call<{ items: Listed[]; next: string | null }, object>('orders.listByCustomer', {
    customerId,
    limit,
    ...(cursor !== undefined && { cursor }),
  });

test('lists that share a statement are not mixed up, and a customer without orders has an empty one', async () => {
  const asked = [...placed.keys(), 9_999];
  const lists = await Promise.all(
    asked.map((customerId) => engine.send<Listed[]>('GET', `/orders/customer/${customerId}`)),
  );
  expect(lists.map(({ body }) => idsOf(body))).toEqual(asked.map((customerId) => placed.get(customerId) ?? []));
});

test('pages of different lengths, requested together, each continue where the previous one ended', async () => {
  const [one, other] = [...placed] as [[number, number[]], [number, number[]]];
  const [first, whole] = await Promise.all([page(one[0], 2), page(other[0], ORDERS_EACH)]);
  expect(idsOf(first.items)).toEqual(one[1].slice(0, 2));
  expect([idsOf(whole.items), whole.next]).toEqual([other[1], null]);
  const rest = await page(one[0], 2, first.next as string);
  expect([idsOf(rest.items), rest.next]).toEqual([one[1].slice(2), null]);
});

test('a list of orders that are at rest is read from its index alone', async () => {
  await query(engine.databaseUrl, 'VACUUM ANALYZE orders.orders');
  // What the pool of the hot statements has set, as these tables are small.
  await query(
    engine.databaseUrl,
    `ALTER DATABASE ${new URL(engine.databaseUrl).pathname.slice(1)} SET enable_seqscan = off`,
  );
  const [customerId] = [...placed.keys()];
  const asked = PAGES.text.replace(/\$(\d)::(\w+\[\])/g, (_, nth: string, type: string) => {
    const value = [customerId, Number.MAX_SAFE_INTEGER, 51, 'NULL'][Number(nth) - 1];
    return `'{${value}}'::${type}`;
  });
  const rows = await query<{ 'QUERY PLAN': string }>(engine.databaseUrl, `EXPLAIN (ANALYZE) ${asked}`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('Index Only Scan Backward using orders_customer');
  expect(plan).toMatch(/Heap Fetches: 0$/m);
});
