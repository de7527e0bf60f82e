/** Secrets are planted in every input of real processes that log all they can; nothing they say holds one of them. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { mintToken } from '../../mixins/auth/token.command.ts';
import { eventually } from '../support/eventually.ts';
import { http, type Reply } from '../support/http.ts';
import { type Nats, startNats } from '../support/nats.ts';
import { findPlanted, type Planted } from '../support/planted.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { spawnWaybill, startWaybill, type Waybill } from '../support/waybill.ts';

const secret = (what: string): Planted => ({
  what,
  text: `${what.replaceAll(' ', '-')}-${randomBytes(24).toString('hex')}`,
});

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
}, 120_000);

function withLogin(url: string, password: string): string {
  const address = new URL(url);
  address.username = 'waybill';
  address.password = password;
  return address.href;
}

function withPassword(url: string, password: string): string {
  const address = new URL(url);
  address.password = password;
  return address.href;
}

function meshWith(env: Record<string, string>): Record<string, string> {
  return { TRANSPORTER: withLogin(nats.url, NATS_PASSWORD.text), AUTH_JWT_SECRET: JWT_SECRET.text, ...env };
}

/** Sends a request as an admin, and keeps the answer. */
async function ask<Body = unknown>(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply<Body>> {
  const headers = { Authorization: `Bearer ${token}`, ...options.headers };
  const reply = await http<Body>(method, `${gateway.url}/api/v1${path}`, { ...options, headers });
  answers.push(JSON.stringify([reply.status, [...reply.headers], reply.body]));
  return reply;
}

const order = (more: object = {}) => ({ ...ORDER, items: [{ productId, quantity: 1 }], ...more });

/** Places an order with personal data, under a key. */
const place = (more: object = {}, headers: Record<string, string> = {}): Promise<Reply<{ orderId: number }>> =>
  ask('POST', '/orders', { body: order(more), headers: { 'Idempotency-Key': KEY.text, ...headers } });

test('an order is taken, shipped, and looked at from all sides', async () => {
  const { status, body } = await eventually(async () => {
    const placed = await place();
    if (placed.status !== 201) throw new Error(`the order was answered ${placed.status}`);
    return placed;
  });
  expect(status).toBe(201);
  expect((await place({ carrier: 'UPS' })).status).toBe(422);
  for (const what of ['', '/history', '/explain'])
    expect((await ask('GET', `/orders/${body.orderId}${what}`)).status).toBe(200);
  expect((await ask('PUT', `/orders/${body.orderId}/ship`)).status).toBe(204);
  expect((await ask('GET', '/reports/reconciliation')).body).toEqual([]);
});

test('bad tokens, bad bodies and secrets in the wrong place are refused', async () => {
  const expired = await mintToken(AUTH, { role: 'staff', subject: 'sam' }, -60_000);
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${randomBytes(32).toString('base64url')}`;
  secrets.push({ what: 'an expired token', text: expired }, { what: 'a forged token', text: forged });
  for (const Authorization of [
    `Bearer ${expired}`,
    `Bearer ${forged}`,
    `Basic ${forged}`,
    forged,
    `Bearer ${forged} x`,
  ])
    expect((await ask('GET', '/orders', { headers: { Authorization } })).status).toBe(401);
  expect((await ask('GET', `/orders?access_token=${token}`)).status).toBe(400);
  expect((await place({ customerName: [ORDER.customerName] })).status).toBe(400);
  expect((await place({ deliveryAddress: { line: ORDER.deliveryAddress } })).status).toBe(400);
  expect((await place({}, { 'Idempotency-Key': `${KEY.text} ${KEY.text}` })).status).toBe(400);
  const cut = JSON.stringify(order()).slice(0, -2);
  expect((await ask('POST', '/orders', { body: cut })).status).toBe(400);
});

test('a statement that the database refuses is answered 500 and logged', async () => {
  await query(databaseUrl, `ALTER TABLE orders.orders ADD CONSTRAINT planted CHECK (carrier <> 'PLANTED') NOT VALID`);
  expect((await place({ carrier: 'PLANTED' }, { 'Idempotency-Key': `${KEY.text}-2` })).status).toBe(500);
  await query(databaseUrl, 'ALTER TABLE orders.order_history RENAME TO gone');
  const { body } = await ask<{ orders: { orderId: number }[] }>('GET', '/orders');
  expect((await ask('GET', `/orders/${body.orders[0]?.orderId}/history`)).status).toBe(500);
  await query(databaseUrl, 'ALTER TABLE orders.gone RENAME TO order_history');
  expect(gateway.stdout.concat(gateway.stderr).some((line) => / ERROR .* 500 /.test(line))).toBe(true);
});

test('what is away is told of', async () => {
  await stock.kill();
  expect([201, 503]).toContain((await place({}, { 'Idempotency-Key': `${KEY.text}-3` })).status);
  const name = new URL(databaseUrl).pathname.slice(1);
  await query(elsewhere, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await query(elsewhere, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  expect((await place({}, { 'Idempotency-Key': `${KEY.text}-4` })).status).toBe(503);
  expect((await ask('GET', '/orders')).status).toBe(503);
  await nats.kill();
  await eventually(() => expect(gateway.stderr.concat(gateway.stdout).join()).toContain('connection to NATS is lost'));
  await nats.restart();
  await query(elsewhere, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await eventually(async () => expect((await ask('GET', '/orders')).status).toBe(200), { withinMs: 20_000 });
});

describe('a start that is refused says why and repeats no secret', () => {
  const bad = 'bad-secret-'.repeat(3);
  test.each([
    ['a password that the database refuses', () => ({ DATABASE_URL: withPassword(databaseUrl, bad) })],
    ['an address of the database that is none', () => ({ DATABASE_URL: `postgres//waybill:${bad}@db/shop` })],
    ['a password that NATS refuses', () => ({ DATABASE_URL: databaseUrl, TRANSPORTER: withLogin(nats.url, bad) })],
    ['an address of NATS that is none', () => ({ TRANSPORTER: `nats//waybill:${bad}@nats:4222` })],
    ['a secret for tokens that is too short', () => ({ AUTH_JWT_SECRET: bad.slice(0, 31) })],
    ['a secret for the mesh that is too short', () => meshWith({ MESH_SECRET: bad.slice(0, 31) })],
    ['a seed for NATS that is none', () => meshWith({ NATS_NKEY_SEED: bad })],
  ])('%s', async (_, env) => {
    const waybill = await spawnWaybill({ env: { LOGLEVEL: 'trace', ...env() } });
    const { code } = await waybill.exited;
    expect({ code, lines: waybill.stderr.length }).toEqual({ code: 1, lines: 1 });
    const said = [...waybill.stdout, ...waybill.stderr];
    const planted = [...secrets, { what: 'the bad secret', text: bad.slice(0, 20) }];
    expect(findPlanted(planted, said)).toEqual([]);
  });
});

async function metrics(): Promise<{ headers: string; text: string }> {
  const response = await fetch(`${gateway.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
  return { headers: JSON.stringify([...response.headers]), text: await response.text() };
}

describe('of all that was said', () => {
  let lines: string[];
  beforeAll(async () => {
    const { headers, text } = await metrics();
    answers.push(headers, text);
    await gateway.stop();
    lines = [...gateway.stdout, ...gateway.stderr, ...stock.stdout, ...stock.stderr];
  });

  test('there was much to look through', () => {
    expect(answers.length).toBeGreaterThan(20);
    expect(lines.filter((line) => / (?:DEBUG|TRACE) /.test(line)).length).toBeGreaterThan(100);
    expect(lines.filter((line) => / (?:WARN|ERROR) /.test(line)).length).toBeGreaterThan(3);
  });

  test('the looking finds what there is, in whichever form it travels', () => {
    const where = ['a name=Zebulon%20Thistlewood', Buffer.from(KEY.text).toString('base64'), `x${NATS_PASSWORD.text}x`];
    expect(findPlanted([...secrets, ...PERSONAL], where).map(({ what }) => what)).toEqual([
      NATS_PASSWORD.what,
      KEY.what,
      'a name',
    ]);
  });

  test('no answer, header or metric holds a secret', () => {
    expect(findPlanted(secrets, answers)).toEqual([]);
  });

  test('no log line holds a secret, at the lowest level either', () => {
    expect(findPlanted(secrets, lines)).toEqual([]);
  });

  test('no log line names a person or where they live', () => {
    expect(findPlanted(PERSONAL, lines)).toEqual([]);
  });

  test('no answer holds what a person is named or where they live', () => {
    expect(findPlanted(PERSONAL, answers)).toEqual([]);
  });
});
