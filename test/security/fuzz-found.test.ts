/** What fuzzing has found, each once: every one of these was a 500, a blocked action or an answer of megabytes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { ValidationFailed } from '../../machines/shared/failure.ts';
import type { KeysetPage } from '../../mixins/database/keyset.ts';
import type { Product } from '../../services/inventory/inventory.types.ts';
import type { PlacedOrder } from '../../services/orders/orders.types.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';

interface Refusal {
  message: string;
  details: { field: string }[];
}

let engine: Engine;
let productId: number;
beforeAll(async () => {
  engine = await startEngine();
  productId = await engine.product();
});

/** The fields that a call names as faulty. */
async function faultsOf(action: string, params: unknown, options: object = {}): Promise<string[]> {
  const error: unknown = await engine.broker.call(action, params as object, options).then(
    () => 'no refusal',
    (refusal: unknown) => refusal,
  );
  expect(error).toBeInstanceOf(ValidationFailed);
  return ((error as ValidationFailed).data as unknown as Refusal).details.map(({ field }) => field);
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('what the validator trips over', () => {
  // Nested in a list, neither can be put into a message.
  test.each([
    ['an object that only looks like text', [{ toString: 1 }]],
    ['a nesting without end', JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown],
  ])('%s is a fault', async (_, name) => {
    expect(await faultsOf('inventory.update', { id: productId, name })).toEqual(['']);
  });

  test('a check that fails costs no place in a bulkhead: more of them than it has places block nobody', async () => {
    for (let i = 0; i < 40; i++) await faultsOf('inventory.update', { id: productId, name: [{ toString: 1 }] });
    const params = { id: productId, name: 'Mug' };
    expect(await engine.broker.call<Product, object>('inventory.update', params)).toMatchObject({ name: 'Mug' });
  });

  test('two fields with one rule are both held against it', async () => {
    expect(await faultsOf('orders.search', { from: 'yesterday', to: 'tomorrow' })).toEqual(['from', 'to']);
    expect((await engine.send('GET', '/orders?to=tomorrow')).status).toBe(400);
  });

  test('params of null, as another node can send them, are none', async () => {
    for (const action of ['orders.search', 'inventory.reservations'])
      expect(await engine.broker.call(action, null as unknown as object)).toEqual(await engine.broker.call(action, {}));
  });
});

describe('a refusal stays small', () => {
  test('a list past its bound is one fault, and nothing in it is looked at', async () => {
    const items = Array.from({ length: 100_000 }, () => ({}));
    expect(await faultsOf('orders.create', { ...bodyOf(productId), items })).toEqual(['items']);
  });

  test('of very many faults a hundred are named', async () => {
    const items = Array.from({ length: 1_000 }, () => ({ colour: 1 }));
    expect(await faultsOf('orders.create', { ...bodyOf(productId), items })).toHaveLength(100);
    const unknown = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`field-${i}`, 1]));
    const { status, body } = await engine.send<Refusal>('POST', '/inventory', { body: unknown });
    expect([status, body.details.length]).toEqual([400, 100]);
  });

  test('a name that reads like a list of names is not read to its end', async () => {
    const name = Array.from({ length: 100_000 }, (_, i) => `n${i}`).join(', ');
    const { status, body } = await engine.send<Refusal>('POST', '/inventory', { body: { [name]: 1 } });
    expect([status, body.details.length]).toEqual([400, 100]);
    const more = Number(/ and (\d+) more$/.exec(body.message)?.[1]);
    expect(more).toBeLessThanOrEqual(10_000);
  });

  test('very many free fields are one fault, whatever their names', async () => {
    const free = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`\0${i}`, 1]));
    const params = { ...free, trackingNumber: 'TRK-1', status: 'IN_TRANSIT' };
    expect(await faultsOf('tracking.addEvent', params)).toEqual(['details']);
  });

  test('the name of a free field is repeated up to the length that it may have', async () => {
    const long = 'A'.repeat(100_000);
    const fields = await faultsOf('tracking.addEvent', { trackingNumber: 'TRK-1', status: 'LOST', [long]: '\0' });
    expect(fields).toEqual(['A'.repeat(100), 'A'.repeat(100)]);
  });
});

describe('what is no parameter', () => {
  test('an idempotency key that cannot be kept is refused', async () => {
    for (const idempotencyKey of ['\0', '', 'x'.repeat(256), 7, {}]) {
      const meta = { idempotencyKey };
      expect(await faultsOf('orders.create', bodyOf(productId), { meta })).toEqual(['idempotencyKey']);
    }
  });

  test('a request id that cannot be kept or would break a log line is left out', async () => {
    for (const requestID of ['\0', 'a\nb', 'x'.repeat(10_000)]) {
      const { order } = await engine.broker.call<PlacedOrder, object>('orders.create', bodyOf(productId), {
        requestID,
      });
      const [row] = await engine.rows('SELECT request_id FROM orders.orders WHERE id = $1', [order.orderId]);
      expect(row).toEqual({ request_id: null });
    }
  });

  test.each([[1e308], [1.5], [-1], [2 ** 53], [null]])('a cursor to %p is none of ours', async (place) => {
    const cursor = base64([place]);
    expect((await engine.send('GET', `/orders/customer/1?cursor=${cursor}`)).status).toBe(400);
    expect(await faultsOf('orders.search', { cursor })).toEqual(['cursor']);
  });
});

test('a null in the place of a field that may be left out is as good as none', async () => {
  const { orderId } = await engine.confirmed(productId);
  const found = await engine.broker.call('orders.search', { from: null, to: null, status: null, cursor: null });
  expect(found).toMatchObject({ orders: expect.arrayContaining([expect.objectContaining({ orderId })]) });
  const listed = await engine.broker.call('inventory.list', { limit: null, cursor: null });
  expect(listed).toMatchObject({ items: [expect.objectContaining({ id: productId })] });
  const page = { after: null, limit: null, ids: null };
  const { items } = await engine.broker.call<KeysetPage<{ orderId: number }>, object>('orders.states', page);
  expect(items.map((item) => item.orderId)).toContain(orderId);
});

test('a request that asks for another protocol is the last on its connection', async () => {
  const socket = connect(engine.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  const asks = 'Connection: upgrade, keep-alive\r\nUpgrade: h2c\r\n';
  socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\n${asks}\r\n`);
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/);
});
