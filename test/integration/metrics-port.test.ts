/** The metrics port of a process: what it answers, to how many, and from its start to its end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ServiceBroker, ServiceSchema } from 'moleculer';
import { defineService } from '../../mixins/mesh/schema.ts';
import { MetricsPort } from '../../mixins/process/metrics-port.ts';
import { brokerOptions } from '../../mixins/mesh/broker-options.ts';
import { programBroker, settingsFor } from '../support/broker.ts';
import { eventually } from '../support/eventually.ts';
import { raw, send } from '../support/gateway.ts';
import { latch } from '../support/latch.ts';

let metricsPort: MetricsPort;
let broker: ServiceBroker;

beforeEach(async () => {
  metricsPort = await MetricsPort.open({ host: '127.0.0.1', port: 0 }, ['stock']);
});
afterEach(async () => {
  if (broker?.started) await broker.stop();
  await metricsPort.stop();
});

const ask = (path: string, method = 'GET') => send(method, path, { port: metricsPort.address.port });

function brokerWith(...services: ServiceSchema[]): ServiceBroker {
  const options = brokerOptions(settingsFor());
  broker = programBroker({}, { middlewares: [...(options.middlewares ?? []), metricsPort.middleware()] });
  for (const service of services) broker.createService(service);
  return broker;
}

const withReady = (name: string, handler: () => unknown): ServiceSchema =>
  defineService<object>({ name, actions: { ready: { access: [], handler } } });

test('metrics, liveness and readiness need no token', async () => {
  await brokerWith(withReady('stock', () => true)).start();
  expect((await ask('/health/live?probe=1')).json).toEqual({ status: 'live' });
  const ready = await ask('/health/ready');
  expect([ready.status, ready.json]).toEqual([200, { status: 'ready' }]);
  const metrics = await ask('/metrics');
  expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(metrics.text).toMatch(/^process_memory_rss \d+$/m);
});

test('everything else is refused in JSON', async () => {
  await brokerWith().start();
  const absent = await ask('/api/v1/orders/7');
  expect([absent.status, absent.json.error]).toEqual([404, 'Not Found']);
  const posted = await ask('/health/live', 'POST');
  expect([posted.status, posted.headers.allow, posted.json.error]).toEqual([405, 'GET, HEAD', 'Method Not Allowed']);
  const head = await ask('/health/ready', 'HEAD');
  expect([head.status, head.text]).toEqual([200, '']);
  expect(await raw('no request\r\n\r\n', metricsPort.address.port)).toMatch(/^HTTP\/1.1 400 .*"error":"Bad Request"/s);
  const huge = `GET /metrics HTTP/1.1\r\nX-Much: ${'x'.repeat(9_000)}\r\n\r\n`;
  expect(await raw(huge, metricsPort.address.port)).toMatch(
    /^HTTP\/1.1 431 .*"error":"Request Header Fields Too Large"/s,
  );
  // A second, malformed request while the first is being answered.
  expect(await raw('GET /metrics HTTP/1.1\r\n\r\nno request\r\n\r\n', metricsPort.address.port)).toMatch(/^HTTP\/1.1 /);
  expect((await ask('/health/live')).status).toBe(200);
});

test('a process that starts is live and not yet ready', async () => {
  const unready = { status: 'unready', missing: ['stock'] };
  expect((await ask('/health/live')).status).toBe(200);
  for (const path of ['/health/ready', '/metrics']) {
    const answer = await ask(path);
    expect([answer.status, answer.headers['retry-after'], answer.json]).toMatchObject([503, '1', unready]);
  }
  const going = latch();
  const started = brokerWith({ name: 'stock', started: () => going.opened }).start();
  expect((await ask('/health/ready')).json).toMatchObject(unready);
  expect((await ask('/metrics')).status).toBe(200);
  going.open();
  await started;
  expect((await ask('/health/ready')).status).toBe(200);
});

test('a process that stops reports that it is not ready, until it has stopped', async () => {
  const [stopping, seen] = [latch(), latch()];
  const stopped = async (): Promise<void> => {
    stopping.open();
    await seen.opened;
  };
  await brokerWith({ ...withReady('stock', () => true), stopped }).start();
  expect((await ask('/health/ready')).status).toBe(200);
  const end = broker.stop();
  await stopping.opened;
  const answer = await ask('/health/ready');
  expect([answer.status, answer.json.missing]).toEqual([503, ['stock']]);
  expect((await ask('/health/live')).status).toBe(200);
  seen.open();
  await end;
  const { port } = metricsPort.address;
  await metricsPort.stop();
  await expect(send('GET', '/health/live', { port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

const fail = (): never => {
  throw new Error('no database');
};

test('readiness names every service that is not ready, also one that a local service needs from elsewhere', async () => {
  const shop = defineService<object>({ name: 'shop', needs: ['payment'] });
  await brokerWith(
    withReady('stock', fail),
    withReady('parcels', () => true),
    shop,
  ).start();
  const answer = await ask('/health/ready');
  expect([answer.status, answer.json.missing]).toEqual([503, ['stock', 'payment']]);
});

test('a flood of probes asks each service once', async () => {
  let asked = 0;
  await brokerWith(withReady('stock', () => ++asked)).start();
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/health/ready')));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  // The machine may take longer than an answer is good for.
  expect(asked).toBeLessThan(10);
  const before = asked;
  await eventually(async () => {
    await ask('/health/ready');
    expect(asked).toBeGreaterThan(before);
  });
});

test('silent connections are closed after a while, and beyond 64 no more are accepted', async () => {
  await brokerWith().start();
  const { port } = metricsPort.address;
  const silent = Array.from({ length: 64 }, () => connect(port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const one = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(one, 'close');
  await Promise.all(silent.map((socket) => once(socket.resume(), 'close')));
  expect((await ask('/health/live')).status).toBe(200);
}, 20_000);
