/** How a process starts, refuses to start, and stops: seen from outside, as `npm start` runs it. */

import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { readServerNote } from '../../mixins/database/embedded/cluster.ts';
import { startEmbeddedPostgres } from '../../mixins/database/embedded/embedded-postgres.ts';
import { startOwn } from '../support/child.ts';
import { afterTheFile } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { http } from '../support/http.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { spawnWaybill, startWaybill, type WaybillOptions } from '../support/waybill.ts';

async function newDataDir(): Promise<string> {
  const dataDir = await temporaryFolder();
  afterTheFile(async () => {
    // Whatever a failed test left running is joined, and ended by being the last to leave.
    const last = await startEmbeddedPostgres({ dataDir });
    await last.stop();
  });
  return dataDir;
}

const order = {
  customerId: 7,
  items: [{ productId: 1, quantity: 2 }],
  deliveryAddress: '221B Baker Street, London',
  carrier: 'DHL',
};

/** Starts a process that must refuse to start, and returns its one line. */
async function refusal(options: WaybillOptions): Promise<string> {
  const waybill = await spawnWaybill(options);
  const { code } = await waybill.exited;
  expect({ code, lines: waybill.stderr.length }).toEqual({ code: 1, lines: 1 });
  return waybill.stderr[0] as string;
}

test.each([
  [{ PORT: 'eighty' }, 'PORT=eighty cannot be used: give a whole number from 0 to 65535'],
  [{ SERVICES: 'api,cats' }, 'SERVICES=api,cats cannot be used: give a comma list of api, orders, inventory, tracking'],
  [{ HOST: '0.0.0.0' }, 'HOST=0.0.0.0 cannot be used without authentication'],
  [{ ORDER_PENDING_TTL: 'soon' }, 'ORDER_PENDING_TTL=soon cannot be used: give a duration'],
])('the bad setting %j ends the start with one line that says what to give', async (env, line) => {
  expect(await refusal({ env, services: (env as { SERVICES?: string }).SERVICES })).toContain(line);
});

test('an unreachable database ends the start with one line that names it, without its password', async () => {
  const port = await freePort();
  const line = await refusal({ env: { DATABASE_URL: `postgres://shop:sesame@127.0.0.1:${port}/shop` } });
  expect(line).toContain(`127.0.0.1:${port}/shop) cannot be used: connection refused`);
  expect(line).not.toContain('sesame');
});

test("a service's own database address takes precedence", async () => {
  const port = await freePort();
  const env = { DATABASE_URL: await createDatabase(), TRACKING_DATABASE_URL: `postgres://shop@127.0.0.1:${port}/shop` };
  expect(await refusal({ env })).toContain('the database of tracking');
});

test('a missing database and a wrong password are told apart', async () => {
  const url = new URL(await createDatabase());
  const absent = new URL(url);
  absent.pathname = '/nowhere';
  expect(await refusal({ env: { DATABASE_URL: absent.href } })).toContain('the database does not exist');
  url.password = 'wrong';
  expect(await refusal({ env: { DATABASE_URL: url.href } })).toContain('wrong user name or password');
});

test('a taken port ends the start with one line', async () => {
  const other = createServer();
  const port = await freePort();
  await new Promise<void>((done) => other.listen(port, '127.0.0.1', done));
  try {
    const line = await refusal({ env: { PORT: String(port), DATABASE_URL: await createDatabase() } });
    const reason = `PORT=${port} is already in use on 127.0.0.1: set another port, or stop the process that uses it`;
    expect(line).toBe(`Waybill cannot start: ${reason}`);
  } finally {
    other.close();
  }
});

test('a schema migrated by a newer version ends the start with one line', async () => {
  const url = await createDatabase();
  await query(url, 'CREATE SCHEMA tracking');
  await query(
    url,
    'CREATE TABLE tracking.migrations (name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now())',
  );
  await query(url, "INSERT INTO tracking.migrations VALUES ('9999-from-the-future')");
  const line = await refusal({ env: { DATABASE_URL: url }, services: 'tracking' });
  expect(line).toContain('was migrated by a newer version (9999-from-the-future)');
});

test('SERVICES picks what a process runs', async () => {
  const waybill = await startWaybill({ env: { DATABASE_URL: await createDatabase() }, services: 'inventory,tracking' });
  const started = waybill.stdout.flatMap((line) => /Service '(\w+)' started/.exec(line)?.[1] ?? []);
  expect(started.toSorted()).toEqual(['inventory', 'tracking']);
});

test('a start prints where the gateway is and a request to paste, last', async () => {
  const waybill = await startWaybill({ env: { DATABASE_URL: await createDatabase() } });
  await eventually(() => expect(waybill.stdout.slice(-4).join('\n')).toContain(`curl -i ${waybill.url}/api/v1/orders`));
  expect(waybill.stdout.slice(-4).join('\n')).toContain(`Waybill listens on ${waybill.url}/api/v1`);
});

test('without settings it runs on an embedded database, and a second start keeps the orders', async () => {
  const env = { DATA_DIR: await newDataDir() };
  const first = await startWaybill({ env });
  const placed = await http('POST', `${first.url}/api/v1/orders`, { body: order });
  expect(placed.status).toBe(201);
  expect(await first.stop()).toEqual({ code: 0, signal: null });

  const second = await startWaybill({ env });
  const found = await http('GET', `${second.url}/api/v1/orders/${String(placed.body.orderId)}`);
  expect(found.body).toMatchObject({
    orderId: placed.body.orderId,
    status: 'CONFIRMED',
    totalPrice: placed.body.totalPrice,
  });
  const product = await http('GET', `${second.url}/api/v1/inventory/1`);
  expect(product.body.reservedQuantity).toBe(2);
});

test('two starts on one folder share the database, also after one of them was killed', async () => {
  const env = { DATA_DIR: await newDataDir() };
  const [first, second] = await Promise.all([startWaybill({ env }), startWaybill({ env })]);
  const placed = await http('POST', `${first.url}/api/v1/orders`, { body: order });
  await first.kill('SIGKILL');
  const found = await http('GET', `${second.url}/api/v1/orders/${String(placed.body.orderId)}`);
  expect(found.body).toMatchObject({ status: 'CONFIRMED' });
  expect(await second.stop()).toEqual({ code: 0, signal: null });
});

test('SIGTERM under load finishes what is in flight and exits 0 within 3 s', async () => {
  const waybill = await startWaybill({ env: { DATABASE_URL: await createDatabase() } });
  const statuses: (number | undefined)[] = [];
  let customerId = 0;
  /** Places orders one after the other until the process takes no more. */
  const shop = async (): Promise<void> => {
    const body = { ...order, customerId: ++customerId };
    const reply = await http('POST', `${waybill.url}/api/v1/orders`, { body }).catch(() => undefined);
    statuses.push(reply?.status);
    if (reply !== undefined && reply.status < 500) await shop();
  };
  const shoppers = Array.from({ length: 40 }, shop);
  await eventually(() => expect(statuses.length).toBeGreaterThan(40));
  const began = performance.now();
  expect(await waybill.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(3_000);
  await Promise.all(shoppers);
  // A shopper ends when the process says that it stops, or is not there any more.
  const answered = new Set(statuses.filter((status) => status !== undefined));
  expect([...answered].filter((status) => ![201, 400, 503].includes(status))).toEqual([]);
});

test('npm start itself ends with code 0 on SIGTERM, and leaves no database server behind', async () => {
  const dataDir = await newDataDir();
  const port = await freePort();
  const npm = startOwn('npm', ['start'], { PORT: String(port), DATA_DIR: dataDir });
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200), {
    withinMs: 30_000,
  });
  expect(await npm.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await eventually(() => expect(readServerNote(`${dataDir}/postgres/cluster`)).toBeUndefined());
});
