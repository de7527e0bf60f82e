/** Idempotency keys on the whole engine: the first answer again, whatever became of the order since. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { uuidOf } from '../../machines/shared/ids.ts';
import { place } from '../../machines/order/order.decide.ts';
import type { PlacedOrder } from '../../services/orders/orders.types.ts';
import type { OrdersService } from '../../services/orders/orders.context.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { latch } from '../support/latch.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterEach(() => engine.restore());

const newKey = () => ({ 'Idempotency-Key': randomUUID() });
const orderCount = async (customerId: number): Promise<number> =>
  (await engine.rows('SELECT 1 FROM orders.orders WHERE customer_id = $1', [customerId])).length;
const service = (): OrdersService => engine.broker.getLocalService('orders') as unknown as OrdersService;

test('the same key with the same body gets the first answer again, also after the order has gone on', async () => {
  const body = bodyOf(await engine.product({ price: 12.5 }));
  const key = newKey();
  const first = await engine.post(body, key);
  expect(first.status).toBe(201);
  expect(first.headers.get('Idempotent-Replayed')).toBeNull();
  const replay = async (): Promise<void> => {
    const again = await engine.post(body, key);
    expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([201, 'true']);
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
    expect(again.body).toEqual(first.body);
  };
  await replay();
  for (const command of ['ship', 'deliver']) {
    await engine.command(command, first.body.orderId as number);
    await replay();
  }
  expect(await orderCount(body.customerId)).toBe(1);
});

test('under the same key, the fields of a body may come in any order', async () => {
  const body = bodyOf(await engine.product());
  const key = newKey();
  const first = await engine.post(body, key);
  const turned = Object.fromEntries(Object.entries(body).toReversed());
  expect((await engine.post(turned, key)).body).toEqual(first.body);
});

test('the same key with another body is 422, and nothing is written', async () => {
  const body = bodyOf(await engine.product());
  const key = newKey();
  await engine.post(body, key);
  for (const change of [{ carrier: 'UPS' }, { items: [{ ...body.items[0], quantity: 3 }] }, { customerName: null }]) {
    expect((await engine.post({ ...body, ...change }, key)).status).toBe(422);
  }
  expect(await orderCount(body.customerId)).toBe(1);
});

test('a refusal is the first answer too: it stays 400 although there is stock by now', async () => {
  const product = await engine.product({ stock: 1 });
  const body = bodyOf(product, 2);
  const key = newKey();
  const first = await engine.post(body, key);
  expect(first.status).toBe(400);
  await engine.broker.call('inventory.addStock', { id: product, amount: 100 });
  const again = await engine.post(body, key);
  expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([400, 'true']);
  expect(again.body).toEqual(first.body);
  expect(await engine.stock(product)).toEqual([101, 0]);
});

test('the same key while the first is running is 409 with Retry-After, and the first answer once it is there', async () => {
  const body = bodyOf(await engine.product());
  const key = newKey();
  const peer = latch();
  engine.disturb('inventory.reserve', async (run) => {
    await peer.opened;
    return run();
  });
  const first = engine.post(body, key);
  await eventually(async () => expect(await orderCount(body.customerId)).toBe(1));
  const meanwhile = await engine.post(body, key);
  expect([meanwhile.status, meanwhile.headers.get('Retry-After')]).toEqual([409, '1']);
  engine.disturb('inventory.reserve', undefined);
  peer.open();
  const { status, body: answer } = await first;
  expect(status).toBe(201);
  expect((await engine.post(body, key)).body).toEqual(answer);
});

test('of many simultaneous requests with one key one places the order, and the others get its answer or 409', async () => {
  const product = await engine.product();
  const body = bodyOf(product);
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, () => engine.post(body, key)));
  const made = answers.filter(({ status }) => status === 201);
  expect(made.length).toBeGreaterThan(0);
  expect(new Set(made.map((answer) => answer.body.orderId)).size).toBe(1);
  for (const { status } of answers) expect([201, 409]).toContain(status);
  expect(await orderCount(body.customerId)).toBe(1);
  expect(await engine.stock(product)).toEqual([100, 2]);
});

test('a pending order is resumed under its key, and its confirmation becomes the stored answer', async () => {
  const product = await engine.product();
  const body = bodyOf(product);
  const key = newKey();
  await engine.takeAway('inventory');
  const first = await engine.post(body, key);
  expect(first.status).toBe(503);
  // 409 while recovery tries it just then.
  await eventually(async () => {
    const again = await engine.post(body, key);
    expect(again.status).toBe(503);
    expect(again.body).toEqual(first.body);
  });
  await engine.bringBack('inventory');
  const confirmed = await eventually(async () => {
    const answer = await engine.post(body, key);
    expect(answer.status).toBe(201);
    return answer;
  });
  expect(confirmed.body).toMatchObject({ orderId: first.body.orderId, status: 'CONFIRMED' });
  await engine.command('cancel', first.body.orderId as number);
  expect((await engine.post(body, key)).body).toEqual(confirmed.body);
  expect(await orderCount(body.customerId)).toBe(1);
});

test('an order that was cancelled before it was confirmed answers 409 under its key, every time', async () => {
  const body = bodyOf(await engine.product());
  const key = newKey();
  await engine.takeAway('inventory');
  const first = await engine.post(body, key);
  await engine.command('cancel', first.body.orderId as number);
  await engine.bringBack('inventory');
  for (let i = 0; i < 2; i++) {
    const again = await engine.post(body, key);
    expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([409, 'true']);
    expect(again.body).toMatchObject({ orderId: first.body.orderId, status: 'CANCELLED' });
  }
});

test('the warning of an order without a shipment is kept with its first answer', async () => {
  const body = bodyOf(await engine.product());
  const key = newKey();
  await engine.takeAway('tracking');
  const first = await engine.post(body, key);
  expect(first).toMatchObject({ status: 201, body: { trackingNumber: null, warning: expect.any(String) } });
  await engine.bringBack('tracking');
  await eventually(async () => expect((await engine.order(first.body.orderId)).trackingNumber).not.toBeNull());
  expect((await engine.post(body, key)).body).toEqual(first.body);
});

test('without authentication all callers share their keys, whatever they claim about themselves', async () => {
  const body = bodyOf(await engine.product());
  const idempotencyKey = randomUUID();
  const as = (caller: string) =>
    engine.broker.call<PlacedOrder, object>('orders.create', body, { meta: { idempotencyKey, caller } });
  const [ada, bob] = [await as('ada'), await as('bob')];
  expect(bob).toEqual({ ...ada, replayed: true });
});

test.each(['', 'a b', 'x'.repeat(256)])('a key other than 1 to 255 visible characters is 400: %j', async (key) => {
  const body = bodyOf(1);
  expect((await engine.post(body, { 'Idempotency-Key': key })).status).toBe(400);
  expect(await orderCount(body.customerId)).toBe(0);
});

test('a key is forgotten 24 hours after its order came to rest, and not before', async () => {
  const product = await engine.product();
  const bodies = [bodyOf(product), bodyOf(product)];
  const keys = [newKey(), newKey()];
  for (const [i, hours] of [25, 23].entries()) {
    await engine.post(bodies[i] as object, keys[i]);
    await engine.rows(`UPDATE orders.idempotency_keys SET rest_at = now() - $2 * interval '1 hour' WHERE key = $1`, [
      keys[i]?.['Idempotency-Key'],
      hours,
    ]);
  }
  expect(await service().store.forgetKeys(24 * 3_600_000)).toBe(false);
  const again = await Promise.all(bodies.map((body, i) => engine.post(body, keys[i])));
  expect(again.map(({ headers }) => headers.get('Idempotent-Replayed'))).toEqual([null, 'true']);
});

test('a key is never bound to the order of another customer that got the same number', async () => {
  const other = await engine.confirmed(await engine.product());
  const { items, ...rest } = bodyOf(1);
  const request = { ...rest, items, requestId: null, by: { role: 'anonymous' }, keyed: true };
  // Two nodes with the same slot can draw the same number in the same millisecond.
  const decision = place(request, other.orderId, uuidOf(other.orderId, randomBytes(8)), Date.now());
  const placement = { decision, caller: 'ada', key: randomUUID(), fingerprint: '0'.repeat(32) };
  expect(await service().store.insert(placement)).toBeFalsy();
  expect(await service().store.earlier(placement)).toBeUndefined();
});
