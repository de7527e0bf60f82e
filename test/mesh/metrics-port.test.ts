/** A node without a gateway can be watched: its work, its database, its start and its end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { joinMesh, programBroker } from '../support/broker.ts';
import { startScript } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { http } from '../support/http.ts';
import { type Nats, startNats } from '../support/nats.ts';
import type { Program } from '../support/process/program.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { bearer, customer, SECRET } from '../support/tokens.ts';
import { spawnWaybill, startWaybill } from '../support/waybill.ts';

let nats: Nats;
let databaseUrl: string;
let port: number;
let env: Record<string, string>;

beforeAll(async () => {
  nats = await startNats();
  databaseUrl = await createDatabase();
  port = await freePort();
  const mesh = { TRANSPORTER: nats.url, AUTH_JWT_SECRET: SECRET, DATABASE_URL: databaseUrl };
  // What an order owes is parked after its first failure.
  env = { ...mesh, METRICS_PORT: String(port), ORDER_MAX_ATTEMPTS: '1', CALL_TIMEOUT: '100ms' };
  await startWaybill({ services: 'orders', env });
}, 60_000);

const watch = <Body = Record<string, unknown>>(path: string) => http<Body>('GET', `http://127.0.0.1:${port}${path}`);

const checkHealth = (): Program => startScript('mixins/process/healthcheck.ts', [], env);

test('an orders node of a mesh shows its parked orders and its outbox, to a scraper without a token', async () => {
  expect((await watch<string>('/metrics')).body).toMatch(/^waybill_orders_parked 0$/m);
  const stock = programBroker({ TRANSPORTER: nats.url, AUTH_JWT_SECRET: SECRET, NODEID: 'stock' });
  const reserve = { access: [], handler: () => Promise.reject(new ServiceUnavailable('closed')) };
  stock.createService(defineService<object>({ name: 'inventory', actions: { reserve } }));
  const [peer] = await Promise.all([joinMesh('peer', nats.url), stock.start()]);
  await peer.waitForServices('orders', 10_000);
  const order = { customerId: 1, items: [{ productId: 1, quantity: 1 }], deliveryAddress: 'Cork', carrier: 'DHL' };
  const meta = { token: (await bearer(customer(1))).Authorization.replace('Bearer ', '') };
  await expect(peer.call('orders.create', order, { meta })).rejects.toMatchObject({ code: 503 });
  await eventually(async () => {
    const { body } = await watch<string>('/metrics');
    expect(body).toMatch(/^waybill_orders_parked 1$/m);
    expect(body).toMatch(/^waybill_outbox_waiting\{schema="orders"\} \d+$/m);
  });
}, 30_000);

test('it is not ready while its database is away, is again when it is back, and its health check says the same', async () => {
  const ready = { status: 200, body: { status: 'ready' } };
  expect(await watch('/health/ready')).toMatchObject(ready);
  expect({ ...(await checkHealth().exited) }).toEqual({ code: 0, signal: null });
  const elsewhere = await createDatabase();
  const name = new URL(databaseUrl).pathname.slice(1);
  await query(elsewhere, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await query(elsewhere, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  await eventually(async () => {
    const unready = { status: 503, body: { status: 'unready', missing: ['orders'] } };
    expect(await watch('/health/ready')).toMatchObject(unready);
  });
  const check = checkHealth();
  expect((await check.exited).code).toBe(1);
  expect(check.stderr.join('\n')).toContain('orders');
  expect((await watch('/health/live')).status).toBe(200);
  await query(elsewhere, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await eventually(async () => expect(await watch('/health/ready')).toMatchObject(ready), { withinMs: 20_000 });
}, 60_000);

test.each([
  [
    'a port that is taken',
    () => ({ METRICS_PORT: String(port) }),
    () => `METRICS_PORT=${port} is already in use on 127.0.0.1: set another port, or stop the process that uses it`,
  ],
  [
    'an address of another machine',
    () => ({ METRICS_PORT: '0', METRICS_HOST: '192.0.2.1' }),
    () => 'METRICS_HOST=192.0.2.1 cannot be used: this machine has no such address (EADDRNOTAVAIL)',
  ],
])('%s ends the start with one line', async (_what, given, line) => {
  const other = await spawnWaybill({ services: 'orders', env: { DATABASE_URL: databaseUrl, ...given() } });
  expect((await other.exited).code).toBe(1);
  expect(other.stderr).toEqual([`Waybill cannot start: ${line()}`]);
});

test('a silent connection does not delay the end of the process', async () => {
  const own = await freePort();
  const stopped = await startWaybill({ services: 'orders', env: { ...env, METRICS_PORT: String(own) } });
  const silent = connect(own, '127.0.0.1').on('error', () => undefined);
  await once(silent, 'connect');
  const began = performance.now();
  expect(await stopped.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(3_000);
});
