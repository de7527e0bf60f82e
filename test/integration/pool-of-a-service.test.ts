/** Under load no service of a process has more connections to its database than DATABASE_POOL_SIZE, whatever it is asked. */
import { expect, test } from '@jest/globals';
import { http } from '../support/http.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { startWaybill } from '../support/waybill.ts';

const SIZE = 3;
const CLIENTS = 24;
const ROUNDS = 12;

test('orders, lists, searches and changes of the catalogue share the connections that each service may have', async () => {
  const databaseUrl = await createDatabase();
  const { url } = await startWaybill({ env: { DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: String(SIZE) } });
  const at = `${url}/api/v1`;
  const asked = [
    (n: number) => http('POST', `${at}/orders`, { body: orderOf(n) }),
    (n: number) => http('GET', `${at}/orders/customer/${n + 1}`),
    () => http('GET', `${at}/orders?status=CONFIRMED&sort=-totalPrice`),
    (n: number) => http('PUT', `${at}/inventory/${(n % 10) + 1}`, { body: { price: 5 } }),
    (n: number) => http('GET', `${at}/inventory/${(n % 10) + 1}`),
    () => http('GET', `${at}/orders?sort=orderDate`),
  ];
  const work = new AbortController();
  const most = new Map<string, number>();
  const watching = (async () => {
    while (!work.signal.aborted) {
      for (const { name, open } of await query<{ name: string; open: number }>(databaseUrl, OPEN))
        most.set(name, Math.max(open, most.get(name) ?? 0));
    }
  })();
  const statuses = await Promise.all(
    Array.from({ length: CLIENTS }, async (_client, n) => {
      const seen: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const ask = asked[(n + round) % asked.length] as (typeof asked)[number];
        seen.push((await ask(n)).status);
      }
      return seen;
    }),
  );
  work.abort();
  await watching;
  // Enough was asked for to open more, and none of it had to be refused.
  expect(new Set(statuses.flat())).toEqual(new Set([200, 201]));
  expect(Object.fromEntries(most)).toEqual({
    'waybill orders': SIZE,
    'waybill inventory': SIZE,
    'waybill tracking': expect.any(Number),
  });
  expect(most.get('waybill tracking')).toBeLessThanOrEqual(SIZE);
});

const OPEN = `SELECT application_name AS name, count(*)::int AS open FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  GROUP BY 1`;

const orderOf = (n: number) => ({
  customerId: n + 1,
  items: [{ productId: (n % 10) + 1, quantity: 1 }],
  deliveryAddress: '12 St James Square, London',
  carrier: 'DHL',
});
