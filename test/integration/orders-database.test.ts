/** A database that fails in its own ways: a full disk, a restart of its sessions. Nothing is promised that is not kept. */
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';

let engine: Engine;
const planted: string[] = [];
beforeAll(async () => {
  engine = await startEngine();
  await engine.rows(`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`);
});
afterEach(async () => {
  for (const table of planted.splice(0)) await engine.rows(`DROP TRIGGER full_disk ON ${table}`);
});

/** From now on every write of the kind fails as it does on a full disk. */
async function fillDisk(table: string, on: 'INSERT' | 'UPDATE'): Promise<void> {
  await engine.rows(`CREATE TRIGGER full_disk BEFORE ${on} ON ${table} EXECUTE FUNCTION disk_full()`);
  planted.push(table);
}

async function makeRoom(): Promise<void> {
  for (const table of planted.splice(0)) await engine.rows(`DROP TRIGGER full_disk ON ${table}`);
}

const ordersOf = async (customerId: number): Promise<string[]> =>
  (await engine.rows<{ status: string }>('SELECT status FROM orders.orders WHERE customer_id = $1', [customerId])).map(
    (row) => row.status,
  );

test('an order on a full disk is 503 without an order id, and nothing is written', async () => {
  const body = bodyOf(await engine.product());
  await fillDisk('orders.orders', 'INSERT');
  const refused = await engine.post(body);
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
  expect(refused.body).not.toHaveProperty('orderId');
  expect(JSON.stringify(refused.body)).not.toMatch(/space|device|extend/);
  expect(await ordersOf(body.customerId)).toEqual([]);
  await makeRoom();
  expect((await engine.post(body)).status).toBe(201);
});

test('an order whose reservation cannot be written stays pending, and is confirmed once when there is space again', async () => {
  const product = await engine.product({ stock: 10 });
  await fillDisk('inventory.products', 'UPDATE');
  const pending = await engine.post(bodyOf(product, 3));
  expect(pending).toMatchObject({ status: 503, body: { status: 'PENDING_CHECK' } });
  await makeRoom();
  await eventually(async () => expect(await engine.order(pending.body.orderId)).toMatchObject({ status: 'CONFIRMED' }));
  expect(await engine.stock(product)).toEqual([10, 3]);
});

test('an order whose outcome cannot be written is answered with its number and resumed automatically', async () => {
  const product = await engine.product({ stock: 10 });
  await fillDisk('orders.orders', 'UPDATE');
  const pending = await engine.post(bodyOf(product, 3));
  expect(pending).toMatchObject({ status: 503, body: { status: 'PENDING_CHECK' } });
  // The reservation was made all the same: that is what makes the repeat have to be harmless.
  expect(await engine.stock(product)).toEqual([10, 3]);
  await makeRoom();
  await eventually(
    async () => expect(await engine.order(pending.body.orderId)).toMatchObject({ status: 'CONFIRMED' }),
    {
      withinMs: 15_000,
    },
  );
  expect(await engine.stock(product)).toEqual([10, 3]);
  expect((await engine.history(pending.body.orderId)).map((entry) => entry.seq)).toEqual([1, 2]);
});

test('when all sessions are terminated at once, orders need at most one retry and every acknowledged order exists', async () => {
  const product = await engine.product({ stock: 1_000 });
  let ended = 0;
  const end = async (): Promise<void> => {
    const [row] = await engine.rows<{ count: number }>(
      `SELECT count(pg_terminate_backend(pid))::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'waybill%'`,
    );
    ended += row?.count ?? 0;
  };
  const answers = [];
  for (let round = 0; round < 5; round++) {
    const placing = Array.from({ length: 20 }, () => engine.post(bodyOf(product, 1)));
    await end();
    answers.push(...(await Promise.all(placing)));
  }
  expect(ended).toBeGreaterThan(0);
  expect(answers.map((answer) => answer.status).filter((status) => status !== 201 && status !== 503)).toEqual([]);
  const named = answers.filter((answer) => answer.body.orderId !== undefined);
  for (const { body } of named) {
    await eventually(async () => expect(await engine.order(body.orderId)).toMatchObject({ status: 'CONFIRMED' }), {
      withinMs: 15_000,
    });
  }
  await eventually(async () => expect(await engine.broker.call('reports.reconciliation')).toEqual([]));
});

test('a read-only server is an outage: 503 and not ready; the pool moves on as soon as there is another server', async () => {
  const product = await engine.product();
  const database = new URL(engine.databaseUrl).pathname.slice(1);
  const writing = (sql: string) =>
    engine.rows(`SET default_transaction_read_only = off; BEGIN READ WRITE; ${sql}; COMMIT`);
  const moveSessions = async (to: string): Promise<void> => {
    await writing(`ALTER DATABASE ${database} ${to}`);
    await engine.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'waybill%'`);
  };
  const ready = () => http<{ missing: string[] }>('GET', `http://127.0.0.1:${engine.port}/health/ready`);
  await moveSessions('SET default_transaction_read_only = on');
  const refused = await engine.post(bodyOf(product));
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
  await eventually(async () => expect((await ready()).status).toBe(503));
  expect((await ready()).body.missing.toSorted()).toEqual(['inventory', 'orders', 'tracking']);

  // From here on new sessions take writes; those that are there never will.
  await writing(`ALTER DATABASE ${database} RESET ALL`);
  await eventually(async () => expect((await engine.post(bodyOf(product))).status).toBe(201), { withinMs: 8_000 });
  await eventually(async () => expect((await ready()).status).toBe(200));
});
