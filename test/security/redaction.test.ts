/** Secrets are planted in every input of real processes that log all they can; nothing they say holds one of them. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { mintToken } from '../../mixins/auth/token.command.ts';
import { eventually } from '../support/eventually.ts';
import { http, type Reply } from '../support/http.ts';
import { type Nats, startNats, withLogin } from '../support/nats.ts';
import { findPlanted, type Planted, secret } from '../support/planted.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

const JWT_SECRET = secret('jwt secret');
const MESH_SECRET = secret('mesh secret');
const NATS_PASSWORD = secret('nats password');
const KEY = secret('idempotency key');
const PERSONAL: Planted[] = [
  { what: 'a name', text: 'Zebulon Thistlewood' },
  { what: 'an address', text: '13 Peppercorn Passage, Ballyvaughan' },
];
const ORDER = { customerId: 7, carrier: 'DHL', customerName: PERSONAL[0]?.text, deliveryAddress: PERSONAL[1]?.text };
const AUTH = { secret: JWT_SECRET.text, jwksUrl: undefined, issuer: undefined, audience: undefined };

/** All answers and log lines of the scenario below. */
interface Told {
  taken: number[];
  refused: { token: number[]; query: number; body: number[] };
  failed: { statuses: number[]; logged: boolean };
  away: { stock: number; database: number[]; natsIsTold: boolean };
}

let nats: Nats;
let databaseUrl: string;
let elsewhere: string;
let gateway: Waybill;
let stock: Waybill;
let token: string;
let productId: number;
/** Every secret there is. */
let secrets: Planted[];
/** Everything that callers were answered, headers included. */
const answers: string[] = [];
/** The answers of orders that were read: they contain what was ordered. */
const readings: string[] = [];
/** Everything that was logged. */
let lines: string[];
let told: Told;

beforeAll(async () => {
  const login = `authorization { user: waybill, password: "${NATS_PASSWORD.text}" }`;
  [nats, databaseUrl, elsewhere] = await Promise.all([
    startNats({ config: login }),
    createDatabase(),
    createDatabase(),
  ]);
  const env = {
    DATABASE_URL: databaseUrl,
    TRANSPORTER: withLogin(nats.url, NATS_PASSWORD.text),
    AUTH_JWT_SECRET: JWT_SECRET.text,
    MESH_SECRET: MESH_SECRET.text,
    DEMO_CATALOG: 'false',
    LOGLEVEL: 'trace',
    RATE_LIMIT: 'off',
    CALL_TIMEOUT: '500ms',
    ORDER_LEASE: '2s',
  };
  [gateway, stock] = await Promise.all([
    startWaybill({ services: 'api,orders,reports', env, readyWithinMs: 60_000 }),
    startWaybill({ services: 'inventory,tracking', env, readyWithinMs: 60_000 }),
  ]);
  token = await mintToken(AUTH, { role: 'admin', subject: 'ann' }, 600_000);
  const password: Planted = { what: 'the password of the database', text: new URL(databaseUrl).password };
  secrets = [JWT_SECRET, MESH_SECRET, NATS_PASSWORD, KEY, password, { what: 'a token', text: token }];
  productId = await eventually(async () => {
    const body = { sku: 'CUP', name: 'Cup', price: 5, initialStock: 1_000 };
    const made = await ask<{ id: number }>('POST', '/inventory', { body });
    if (made.status !== 201) throw new Error(`no product was made: ${made.status}`);
    return made.body.id;
  });
  // Objects are evaluated from the top: what is away is so last.
  told = { taken: await takeOrder(), refused: await refuse(), failed: await fail(), away: await takeAway() };
  const response = await fetch(`${gateway.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
  answers.push(JSON.stringify([...response.headers]), await response.text());
  await gateway.stop();
  lines = [...gateway.lines, ...stock.lines];
}, 180_000);

/** Sends a request as an admin, and keeps the answer. */
async function ask<Body = unknown>(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply<Body>> {
  const headers = { Authorization: `Bearer ${token}`, ...options.headers };
  const reply = await http<Body>(method, `${gateway.url}/api/v1${path}`, { ...options, headers });
  const kept = method === 'GET' && /^\/orders\/\d+$/.test(path) ? readings : answers;
  kept.push(JSON.stringify([reply.status, [...reply.headers], reply.body]));
  return reply;
}

const order = (more: object = {}) => ({ ...ORDER, items: [{ productId, quantity: 1 }], ...more });

/** Places an order with personal data, under a key. */
const place = (more: object = {}, headers: Record<string, string> = {}): Promise<Reply<{ orderId: number }>> =>
  ask('POST', '/orders', { body: order(more), headers: { 'Idempotency-Key': KEY.text, ...headers } });

const statusesOf = async (asking: Promise<Reply>[]): Promise<number[]> =>
  (await Promise.all(asking)).map(({ status }) => status);

/** An order is taken, shipped, and looked at from all sides. */
async function takeOrder(): Promise<number[]> {
  const { status, body } = await eventually(async () => {
    const placed = await place();
    if (placed.status !== 201) throw new Error(`the order was answered ${placed.status}`);
    return placed;
  });
  const { status: other } = await place({ carrier: 'UPS' });
  const looks = ['', '/history', '/explain'].map((what) => ask('GET', `/orders/${body.orderId}${what}`));
  const seen = await statusesOf(looks);
  const shipped = await ask('PUT', `/orders/${body.orderId}/ship`);
  const report = await ask('GET', '/reports/reconciliation');
  return [status, other, ...seen, shipped.status, report.status];
}

/** Bad tokens, bad bodies, and secrets in the wrong place. */
async function refuse(): Promise<Told['refused']> {
  const expired = await mintToken(AUTH, { role: 'staff', subject: 'sam' }, -60_000);
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${randomBytes(32).toString('base64url')}`;
  secrets.push({ what: 'an expired token', text: expired }, { what: 'a forged token', text: forged });
  const headers = [`Bearer ${expired}`, `Bearer ${forged}`, `Basic ${forged}`, forged, `Bearer ${forged} x`];
  const cut = JSON.stringify(order()).slice(0, -2);
  return {
    token: await statusesOf(headers.map((Authorization) => ask('GET', '/orders', { headers: { Authorization } }))),
    query: (await ask('GET', `/orders?access_token=${token}`)).status,
    body: await statusesOf([
      place({ customerName: [ORDER.customerName] }),
      place({ deliveryAddress: { line: ORDER.deliveryAddress } }),
      place({}, { 'Idempotency-Key': `${KEY.text} ${KEY.text}` }),
      ask('POST', '/orders', { body: cut }),
    ]),
  };
}

/** Statements that the database refuses. */
async function fail(): Promise<Told['failed']> {
  await query(databaseUrl, `ALTER TABLE orders.orders ADD CONSTRAINT planted CHECK (carrier <> 'PLANTED') NOT VALID`);
  const written = await place({ carrier: 'PLANTED' }, { 'Idempotency-Key': `${KEY.text}-2` });
  const { body } = await ask<{ orders: { orderId: number }[] }>('GET', '/orders');
  await query(databaseUrl, 'ALTER TABLE orders.order_history RENAME TO gone');
  const read = await ask('GET', `/orders/${body.orders[0]?.orderId}/history`);
  await query(databaseUrl, 'ALTER TABLE orders.gone RENAME TO order_history');
  return { statuses: [written.status, read.status], logged: gateway.lines.some((line) => / ERROR .* 500 /.test(line)) };
}

const isTold = (): boolean => gateway.lines.join().includes('connection to NATS is lost');

/** The other node, the database and NATS are taken away, and the latter two are given back. */
async function takeAway(): Promise<Told['away']> {
  await stock.kill();
  const { status } = await place({}, { 'Idempotency-Key': `${KEY.text}-3` });
  const name = new URL(databaseUrl).pathname.slice(1);
  await query(elsewhere, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await query(elsewhere, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  const placing = await place({}, { 'Idempotency-Key': `${KEY.text}-4` });
  const searching = await ask('GET', '/orders');
  await nats.kill();
  await eventually(() => {
    if (!isTold()) throw new Error('the loss of NATS is not told');
  }).catch(() => undefined);
  await nats.restart();
  await query(elsewhere, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  const back = await eventually(
    async () => {
      const reply = await ask('GET', '/orders');
      if (reply.status !== 200) throw new Error(`the orders were answered ${reply.status}`);
      return reply;
    },
    { withinMs: 20_000 },
  );
  return { stock: status, database: [placing.status, searching.status, back.status], natsIsTold: isTold() };
}

test('an order is taken, shipped, and looked at from all sides', () => {
  expect(told.taken).toEqual([201, 422, 200, 200, 200, 204, 200]);
});

test('bad tokens, bad bodies and secrets in the wrong place are refused', () => {
  expect(told.refused).toEqual({ token: [401, 401, 401, 401, 401], query: 400, body: [400, 400, 400, 400] });
});

test('a statement that the database refuses is answered 500 and logged', () => {
  expect(told.failed).toEqual({ statuses: [500, 500], logged: true });
});

test('outages are answered and logged', () => {
  expect([201, 503]).toContain(told.away.stock);
  expect(told.away.database).toEqual([503, 503, 200]);
  expect(told.away.natsIsTold).toBe(true);
});

describe('in all of the output', () => {
  test('there is a lot of output to search', () => {
    expect(answers.length).toBeGreaterThan(20);
    expect(lines.filter((line) => / (?:DEBUG|TRACE) /.test(line)).length).toBeGreaterThan(100);
    expect(lines.filter((line) => / (?:WARN|ERROR) /.test(line)).length).toBeGreaterThan(3);
  });

  test('the search finds a secret in any encoding', () => {
    const where = ['a name=Zebulon%20Thistlewood', Buffer.from(KEY.text).toString('base64'), `x${NATS_PASSWORD.text}x`];
    expect(findPlanted([...secrets, ...PERSONAL], where).map(({ what }) => what)).toEqual([
      NATS_PASSWORD.what,
      KEY.what,
      'a name',
    ]);
  });

  test('no answer, header or metric contains a secret', () => {
    expect(findPlanted(secrets, [...answers, ...readings])).toEqual([]);
  });

  test('no log line contains a secret, even at the lowest level', () => {
    expect(findPlanted(secrets, lines)).toEqual([]);
  });

  test('no log line names a person or where they live', () => {
    expect(findPlanted(PERSONAL, lines)).toEqual([]);
  });

  test('only whoever reads the order itself is shown the name and address of a person', () => {
    expect(findPlanted(PERSONAL, answers)).toEqual([]);
    expect(findPlanted(PERSONAL, readings).map(({ what }) => what)).toEqual(PERSONAL.map(({ what }) => what));
  });
});
