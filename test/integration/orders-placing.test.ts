/** Placing orders on the whole engine: confirmed with everything, or cancelled with nothing left behind. */
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { OrderPending } from '../../machines/order/order.failures.ts';
import { bodyOf, type Engine, hang, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { latch } from '../support/latch.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ env: { CALL_TIMEOUT: '1s' } });
});
afterEach(() => engine.restore());

test('an order with stock is CONFIRMED, with its prices, its total to the cent and its shipment', async () => {
  const cups = await engine.product({ stock: 10, price: 19.99 });
  const pins = await engine.product({ stock: 1_000, price: 0.07 });
  const items = [
    { productId: cups, quantity: 3 },
    { productId: pins, quantity: 999 },
  ];
  const body = { ...bodyOf(cups), items };
  const { status, headers, body: order } = await engine.post(body);
  expect(status).toBe(201);
  expect(headers.get('Location')).toBe(`/api/v1/orders/${order.orderId}`);
  expect(order).toEqual({
    orderId: expect.any(Number),
    orderNumber: expect.stringMatching(/^ORD-[0-9a-f-]{36}$/),
    customerId: body.customerId,
    status: 'CONFIRMED',
    totalPrice: 129.9,
    orderDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    trackingNumber: expect.stringMatching(/^TRK-[0-9a-f-]{36}$/),
    estimatedDelivery: expect.stringMatching(/Z$/),
    items: [
      { productId: cups, quantity: 3, priceAtPurchase: 19.99 },
      { productId: pins, quantity: 999, priceAtPurchase: 0.07 },
    ],
  });
  for (const id of [order.orderId, order.orderNumber]) {
    expect((await engine.send('GET', `/orders/${id}`)).body).toEqual({
      ...order,
      carrier: body.carrier,
      deliveryAddress: body.deliveryAddress,
      customerName: body.customerName,
      updatedAt: (await engine.history(order.orderId)).at(-1)?.at,
    });
  }
  expect(await engine.stock(cups)).toEqual([10, 3]);
  expect(await engine.stock(pins)).toEqual([1_000, 999]);
  expect(await engine.shipment(order.orderId)).toBe('CREATED');
  expect((await engine.history(order.orderId)).map(({ seq, event, from, to }) => [seq, event, from, to])).toEqual([
    [1, 'PLACE', null, 'PENDING_CHECK'],
    [2, 'SECURED', 'PENDING_CHECK', 'CONFIRMED'],
  ]);
});

test('the order is written as PENDING_CHECK, all lines included, before anything is called', async () => {
  const product = await engine.product();
  const seen: unknown[] = [];
  engine.disturb('inventory.reserve', async (run) => {
    seen.push(
      ...(await engine.rows(
        `SELECT o.status, l.quantity FROM orders.orders o JOIN orders.order_lines l ON l.order_id = o.id
      WHERE l.product_id = $1`,
        [product],
      )),
    );
    return run();
  });
  try {
    await engine.confirmed(product, 7);
  } finally {
    engine.disturb('inventory.reserve', undefined);
  }
  expect(seen).toEqual([{ status: 'PENDING_CHECK', quantity: '7' }]);
});

test('an order keeps the price of its reservation when the price rises', async () => {
  const product = await engine.product({ price: 5 });
  const { orderId } = await engine.confirmed(product, 2);
  await engine.broker.call('inventory.update', { id: product, price: 50 });
  expect(await engine.order(orderId)).toMatchObject({ totalPrice: 10, items: [{ priceAtPurchase: 5 }] });
});

test('short stock is 400 with what is short; the order is CANCELLED, nothing stays reserved, no shipment is made', async () => {
  const plenty = await engine.product({ stock: 100 });
  const few = await engine.product({ stock: 2 });
  const items = [
    { productId: plenty, quantity: 1 },
    { productId: few, quantity: 3 },
  ];
  const { status, body } = await engine.post({ ...bodyOf(plenty), items });
  expect(status).toBe(400);
  expect(body).toEqual({
    error: 'Insufficient stock',
    message: `Product ID ${few} has insufficient stock`,
    unavailableProducts: [few],
    orderId: expect.any(Number),
    orderNumber: expect.stringMatching(/^ORD-/),
    status: 'CANCELLED',
  });
  expect(await engine.order(body.orderId)).toMatchObject({ status: 'CANCELLED', totalPrice: null });
  expect(await engine.stock(plenty)).toEqual([100, 0]);
  expect(await engine.stock(few)).toEqual([2, 0]);
  expect(await engine.shipment(body.orderId)).toBeUndefined();
  expect(engine.called('tracking.createShipment', body.orderId)).toBe(0);
  expect(await engine.explain(body.orderId)).toMatchObject({ waitingFor: null, allowedEvents: [] });
});

test('an unknown product is short stock, and lines of the same product are added up', async () => {
  const product = await engine.product({ stock: 5 });
  const unknown = await engine.post(bodyOf(product + 1_000_000));
  expect(unknown.status).toBe(400);
  expect(unknown.body.unavailableProducts).toEqual([product + 1_000_000]);
  const twice = (quantity: number) => ({
    ...bodyOf(product),
    items: [1, 2].map(() => ({ productId: product, quantity })),
  });
  expect((await engine.post(twice(3))).status).toBe(400);
  const enough = await engine.post(twice(2));
  expect(enough.status).toBe(201);
  expect(enough.body.items).toHaveLength(2);
  expect(await engine.stock(product)).toEqual([5, 4]);
});

test('a bad body names every fault at once and writes nothing', async () => {
  const before = await engine.rows('SELECT count(*) FROM orders.orders');
  const { status, body } = await engine.send<{ details: { field: string }[] }>('POST', '/orders', {
    body: { customerId: -1, items: [{ productId: 1, quantity: 0 }], carrier: '', colour: 'red' },
  });
  expect(status).toBe(400);
  expect(new Set(body.details.map(({ field }) => field))).toEqual(
    new Set(['customerId', 'items[0].quantity', 'deliveryAddress', 'carrier', 'colour']),
  );
  expect(await engine.rows('SELECT count(*) FROM orders.orders')).toEqual(before);
});

test('of 30 buyers at once of 5 units each, a stock of 25 gives exactly five orders', async () => {
  const product = await engine.product({ stock: 25, price: 9.9 });
  const answers = await Promise.all(Array.from({ length: 30 }, () => engine.post(bodyOf(product, 5))));
  const withStatus = (status: number) => answers.filter((answer) => answer.status === status);
  expect(withStatus(201)).toHaveLength(5);
  expect(withStatus(400)).toHaveLength(25);
  for (const { body } of withStatus(400))
    expect(body).toMatchObject({ unavailableProducts: [product], status: 'CANCELLED' });
  expect(await engine.stock(product)).toEqual([25, 25]);
  const ids = answers.map(({ body }) => body.orderId);
  const shipped = await engine.rows('SELECT order_id FROM tracking.shipments WHERE order_id = ANY($1)', [ids]);
  expect(shipped).toHaveLength(5);
});

test('the same body without a key resumes the order while it is pending, and is a new order afterwards', async () => {
  const product = await engine.product();
  const body = bodyOf(product);
  const peer = latch();
  engine.disturb('inventory.reserve', async (run) => {
    await peer.opened;
    return run();
  });
  const both = [engine.post(body), engine.post(body)];
  await eventually(() => expect(engine.called('inventory.reserve')).toBeGreaterThan(0));
  engine.disturb('inventory.reserve', undefined);
  peer.open();
  const [one, two] = await Promise.all(both);
  expect([one?.status, two?.status]).toEqual([201, 201]);
  expect(two?.body).toEqual(one?.body);
  const third = await engine.post(body);
  expect(third.status).toBe(201);
  expect(third.body.orderId).not.toBe(one?.body.orderId);
  expect(await engine.stock(product)).toEqual([100, 4]);
});

test('the same body again resumes an order that was left pending', async () => {
  const product = await engine.product();
  const body = bodyOf(product);
  await engine.takeAway('inventory');
  const first = await engine.post(body);
  expect(first.status).toBe(503);
  const second = await engine.post(body);
  expect(second.body).toMatchObject({ orderId: first.body.orderId, status: 'PENDING_CHECK' });
  await engine.bringBack('inventory');
  await eventually(async () => expect((await engine.order(first.body.orderId)).status).toBe('CONFIRMED'));
  expect(await engine.rows('SELECT id FROM orders.orders WHERE customer_id = $1', [body.customerId])).toHaveLength(1);
  expect(await engine.stock(product)).toEqual([100, 2]);
});

test('beyond the maximum of orders in progress the next is refused at once, and nothing is written', async () => {
  const bounded = await startEngine({ nodeID: 'bounded', env: { ORDER_MAX_IN_FLIGHT: '2' } });
  const product = await bounded.product();
  bounded.disturb('inventory.reserve', hang);
  const inside = [bodyOf(product), bodyOf(product)].map((body) => bounded.broker.call('orders.create', body));
  const ended = Promise.allSettled(inside);
  await eventually(() => expect(bounded.called('inventory.reserve')).toBe(2));
  const body = bodyOf(product);
  const refused = await bounded.post(body);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('Retry-After')).toBe('1');
  expect(refused.body.orderId).toBeUndefined();
  expect(await bounded.rows('SELECT 1 FROM orders.orders WHERE customer_id = $1', [body.customerId])).toEqual([]);
  for (const end of await ended) expect((end as PromiseRejectedResult).reason).toBeInstanceOf(OrderPending);
  bounded.disturb('inventory.reserve', undefined);
});
