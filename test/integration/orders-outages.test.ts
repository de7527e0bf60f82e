/** Outages of peers, on the whole engine: what callers get, and that orders are resumed automatically. */
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { OrderPending } from '../../machines/order/order.failures.ts';
import { Unauthenticated } from '../../mixins/auth/auth.failures.ts';
import { bodyOf, type Disturbance, type Engine, hang, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ env: { CALL_TIMEOUT: '500ms' } });
});
afterEach(() => engine.restore());

const confirmed = (id: number | undefined): Promise<void> =>
  eventually(async () => expect(await engine.order(id)).toMatchObject({ status: 'CONFIRMED' }));
const atRest = (id: number | undefined): Promise<void> =>
  eventually(async () => expect((await engine.explain(id)).waitingFor).toBeNull());

/** The call works, and its answer is lost. */
const loseAnswer: Disturbance = (run) => run().then(() => hang(run));

test('while inventory is away an order is 503 and PENDING_CHECK; it is CONFIRMED automatically when inventory is back', async () => {
  const product = await engine.product();
  await engine.takeAway('inventory');
  const { status, headers, body } = await engine.post(bodyOf(product));
  expect([status, headers.get('Retry-After')]).toEqual([503, '1']);
  expect(body).toEqual({
    error: 'Service Unavailable',
    message: expect.any(String),
    orderId: expect.any(Number),
    orderNumber: expect.stringMatching(/^ORD-/),
    status: 'PENDING_CHECK',
  });
  expect(await engine.order(body.orderId)).toMatchObject({ status: 'PENDING_CHECK', totalPrice: null });
  await eventually(async () => {
    const explanation = await engine.explain(body.orderId);
    expect(explanation).toMatchObject({
      status: 'PENDING_CHECK',
      waitingFor: 'inventory',
      lastError: expect.stringContaining('inventory.reserve'),
      nextAttemptAt: expect.any(String),
      deadline: expect.any(String),
    });
    // No peer could be reached.
    expect(explanation.attempt).toBe(0);
    expect(explanation.allowedEvents).toContain('CANCEL');
  });
  await engine.bringBack('inventory');
  await confirmed(body.orderId);
  expect(await engine.stock(product)).toEqual([100, 2]);
  expect(await engine.shipment(body.orderId)).toBe('CREATED');
  expect(await engine.explain(body.orderId)).toMatchObject({
    waitingFor: null,
    attempt: 0,
    lastError: null,
    deadline: null,
  });
});

test('a pending order whose stock turns out to be short is CANCELLED automatically, with the products that are short', async () => {
  const product = await engine.product({ stock: 1 });
  await engine.takeAway('inventory');
  const { body } = await engine.post(bodyOf(product, 2));
  await engine.bringBack('inventory');
  await eventually(async () => expect((await engine.order(body.orderId)).status).toBe('CANCELLED'));
  const last = (await engine.history(body.orderId)).at(-1);
  expect(last).toMatchObject({ event: 'REFUSED', detail: { unavailableProducts: [product] } });
  expect(await engine.stock(product)).toEqual([1, 0]);
  expect(await engine.shipment(body.orderId)).toBeUndefined();
});

test('a reserve whose answer is lost is 503, and still reserves only once', async () => {
  const product = await engine.product();
  engine.disturb('inventory.reserve', loseAnswer);
  const { status, body } = await engine.post(bodyOf(product, 3));
  expect([status, body.status]).toEqual([503, 'PENDING_CHECK']);
  expect(await engine.stock(product)).toEqual([100, 3]);
  engine.disturb('inventory.reserve', undefined);
  await confirmed(body.orderId);
  expect(engine.called('inventory.reserve', body.orderId)).toBeGreaterThan(1);
  expect(await engine.stock(product)).toEqual([100, 3]);
});

test('while tracking is away an order is 201 with a warning and no tracking number; its shipment is created when tracking is back', async () => {
  const product = await engine.product();
  await engine.takeAway('tracking');
  const { status, body } = await engine.post(bodyOf(product));
  expect(status).toBe(201);
  expect(body).toMatchObject({ status: 'CONFIRMED', totalPrice: 20, trackingNumber: null, estimatedDelivery: null });
  expect(body.warning).toMatch(/shipment/);
  expect(await engine.stock(product)).toEqual([100, 2]);
  expect(await engine.explain(body.orderId)).toMatchObject({ status: 'CONFIRMED', waitingFor: 'tracking' });
  await engine.bringBack('tracking');
  await eventually(async () => expect((await engine.order(body.orderId)).trackingNumber).toMatch(/^TRK-/));
  expect((await engine.order(body.orderId)).estimatedDelivery).toMatch(/Z$/);
  expect((await engine.history(body.orderId)).map(({ event }) => event)).toEqual([
    'PLACE',
    'RESERVED',
    'SHIPMENT_CREATED',
  ]);
});

test('a createShipment whose answer is lost creates one shipment, and the order gets its number', async () => {
  const product = await engine.product();
  engine.disturb('tracking.createShipment', loseAnswer);
  const { status, body } = await engine.post(bodyOf(product));
  expect([status, body.trackingNumber]).toEqual([201, null]);
  engine.disturb('tracking.createShipment', undefined);
  await atRest(body.orderId);
  const { trackingNumber } = await engine.order(body.orderId);
  const rows = await engine.rows<{ tracking_number: string }>(
    'SELECT tracking_number FROM tracking.shipments WHERE order_id = $1',
    [body.orderId],
  );
  expect(rows.map((row) => `TRK-${row.tracking_number}`)).toEqual([trackingNumber]);
});

test('an order without its shipment can be shipped and cancelled like any other', async () => {
  const product = await engine.product();
  await engine.takeAway('tracking');
  const [shipped, cancelled] = [await engine.confirmed(product, 1), await engine.confirmed(product, 1)];
  await engine.command('ship', shipped.orderId);
  await engine.command('cancel', cancelled.orderId);
  await engine.bringBack('tracking');
  await atRest(shipped.orderId);
  await atRest(cancelled.orderId);
  expect(await engine.stock(product)).toEqual([99, 0]);
  expect(await engine.order(shipped.orderId)).toMatchObject({ status: 'SHIPPED', trackingNumber: expect.any(String) });
  expect(await engine.shipment(cancelled.orderId)).toBe('VOIDED');
});

test('orders that piled up while inventory was away are all resumed, each once', async () => {
  const product = await engine.product({ stock: 60 });
  await engine.takeAway('inventory');
  const answers = await Promise.all(Array.from({ length: 30 }, () => engine.post(bodyOf(product, 2))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  await engine.bringBack('inventory');
  for (const { body } of answers) await confirmed(body.orderId);
  expect(await engine.stock(product)).toEqual([60, 60]);
});

test('a permanent refusal by a peer parks the order for an operator, and a retry resumes it', async () => {
  const product = await engine.product();
  const { orderId } = await engine.confirmed(product);
  engine.disturb('inventory.consume', () =>
    Promise.resolve({ success: false, message: 'not today', unavailableProducts: [] }),
  );
  await engine.command('ship', orderId);
  await eventually(async () => {
    expect(await engine.explain(orderId)).toMatchObject({
      waitingFor: 'operator',
      lastError: expect.stringContaining('not today'),
      nextAttemptAt: null,
    });
  });
  engine.disturb('inventory.consume', undefined);
  await engine.broker.call('orders.retry', { id: orderId });
  await atRest(orderId);
  expect(await engine.stock(product)).toEqual([98, 0]);
});

test('a call refused as unauthenticated is retried, because secrets may be changing', async () => {
  const product = await engine.product();
  engine.disturb('inventory.reserve', () => Promise.reject(new Unauthenticated('Authentication required')));
  const { status, body } = await engine.post(bodyOf(product));
  expect([status, body.status]).toEqual([503, 'PENDING_CHECK']);
  expect(await engine.explain(body.orderId)).toMatchObject({ waitingFor: 'inventory' });
  engine.disturb('inventory.reserve', undefined);
  await confirmed(body.orderId);
});

test('a peer service gets the same answers as typed errors', async () => {
  await engine.takeAway('inventory');
  const placing = engine.broker.call('orders.create', bodyOf(1));
  await expect(placing).rejects.toBeInstanceOf(OrderPending);
  await expect(placing).rejects.toMatchObject({ retryable: true, data: { status: 'PENDING_CHECK' } });
});
