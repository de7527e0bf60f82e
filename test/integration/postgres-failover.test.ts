/** A primary with a synchronous standby: the primary dies, the standby is promoted, and nothing that was answered is lost. */
import { beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from '../../mixins/database/database.ts';
import { eventually } from '../support/eventually.ts';
import { http, type Reply } from '../support/http.ts';
import { query } from '../support/postgres.ts';
import { type PostgresServer, startPair } from '../support/postgres-servers.ts';
import { spawnWaybill, startWaybill, type Waybill } from '../support/waybill.ts';

const EVERY_MS = 100;

let primary: PostgresServer;
let standby: PostgresServer;
let waybill: Waybill;
/** Names both, the standby first: it is found out to be the wrong one. */
let url: string;
const placed: { at: number; reply: Reply<Record<string, unknown>> }[] = [];
const placing: Promise<unknown>[] = [];

beforeAll(async () => {
  ({ primary, standby } = await startPair());
  await query(primary.url(), 'CREATE DATABASE shop');
  const { username, password } = new URL(primary.url());
  const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
  url = `postgres://${username}:${password}@${hosts}/shop?target_session_attrs=read-write`;
  waybill = await startWaybill({ env: { DATABASE_URL: url }, readyWithinMs: 60_000 });
}, 180_000);

let lastCustomer = 0;
async function place(): Promise<Reply<Record<string, unknown>>> {
  const items = [{ productId: 1, quantity: 1 }];
  const body = { customerId: ++lastCustomer, items, deliveryAddress: '1 Harbour Street, Cork', carrier: 'DHL' };
  const reply = await http('POST', `${waybill.url}/api/v1/orders`, { body });
  placed.push({ at: performance.now(), reply });
  return reply;
}

test('a start on a standby alone ends with one line that says so', async () => {
  const alone = await spawnWaybill({ env: { DATABASE_URL: standby.url('shop') } });
  expect(await alone.exited).toMatchObject({ code: 1 });
  expect(alone.stderr).toEqual([
    expect.stringMatching(
      /^Waybill cannot start: the database of orders, inventory, tracking \(127.0.0.1:\d+\/shop\) is read-only/,
    ),
  ]);
}, 60_000);

test('a connection to several hosts is to the one that takes writes, and the others are left at once', async () => {
  const database = openDatabase(url, 'shop', 2);
  try {
    const { rows } = await database.query<{ port: number }>('SELECT inet_server_port() AS port');
    expect(rows).toEqual([{ port: primary.port }]);
    const left = `SELECT FROM pg_stat_activity WHERE application_name = 'waybill shop'`;
    await eventually(async () => expect(await query(standby.url(), left)).toEqual([]), { withinMs: 1_000 });
  } finally {
    await database.close();
  }
});

test('with the primary dead orders are refused with 503; within 5 s of the promotion they flow, and none is lost', async () => {
  expect((await place()).status).toBe(201);
  const loop = setInterval(() => placing.push(place()), EVERY_MS);
  try {
    await eventually(() => expect(placed.length).toBeGreaterThan(10));
    await primary.crash();
    const ready = () => http<{ missing: string[] }>('GET', `${waybill.url}/health/ready`);
    await eventually(async () => expect((await ready()).status).toBe(503));
    expect((await ready()).body.missing).toContain('orders');
    const refused = await eventually(async () => {
      const reply = await place();
      expect(reply.status).toBe(503);
      return reply;
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    // As many as open every breaker that there is.
    await eventually(() => expect(placed.filter(({ reply }) => reply.status === 503).length).toBeGreaterThan(60), {
      withinMs: 30_000,
    });

    await standby.promote();
    const promotedAt = performance.now();
    const first = await eventually(
      () => {
        const after = placed.find(({ at, reply }) => at > promotedAt && reply.status === 201);
        if (!after) throw new Error('no order was taken after the promotion');
        return after.at;
      },
      { withinMs: 10_000 },
    );
    expect(first - promotedAt).toBeLessThan(5_000);
    await eventually(async () => expect((await ready()).status).toBe(200));
  } finally {
    clearInterval(loop);
    await Promise.all(placing);
  }

  expect(placed.filter(({ reply }) => reply.status !== 201 && reply.status !== 503)).toEqual([]);
  const answered = placed
    .filter(({ reply }) => reply.body.orderId !== undefined)
    .map(({ reply }) => reply.body.orderId);
  const found = `SELECT count(*)::int AS count FROM orders.orders WHERE id = ANY($1::bigint[]) AND status = 'CONFIRMED'`;
  await eventually(
    async () => expect(await query(standby.url('shop'), found, [answered])).toEqual([{ count: answered.length }]),
    { withinMs: 20_000 },
  );
}, 120_000);

test('each service logs the outage once, with its cause, and its end once', async () => {
  const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
  for (const service of ['orders', 'inventory', 'tracking']) {
    const database = `The database of ${service} (${hosts}/shop)`;
    await eventually(() =>
      expect(waybill.lines.filter((line) => line.includes(database))).toEqual([
        expect.stringContaining(`${database} cannot be used: 127.0.0.1:${primary.port} `),
        expect.stringMatching(/can be used again, after \d+\.\d s$/),
      ]),
    );
  }
  expect(waybill.lines.join('\n')).not.toContain(new URL(primary.url()).password);
});
