/** Tracking on real PostgreSQL: one shipment an order, whatever comes twice, together or in the wrong order. */
import { expect, test } from '@jest/globals';
import { uuidOf } from '../../machines/shared/ids.ts';
import { eventually } from '../support/eventually.ts';
import { query } from '../support/postgres.ts';
import {
  broker,
  databaseUrl,
  nextOrderId,
  newOrder,
  create,
  get,
  add,
  voidOf,
  statuses,
  heardOf,
  batches,
  faultsOf,
  useTracking,
} from '../support/tracking-node.ts';

useTracking();

test('a shipment is created once: the same order gets the same tracking number, and one event is published', async () => {
  const order = newOrder();
  const first = await create(order);
  expect(first.trackingNumber).toMatch(/^TRK-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  expect(new Date(first.estimatedDelivery).toISOString()).toBe(first.estimatedDelivery);
  expect(await create(order)).toEqual(first);
  const shipment = await get(first.trackingNumber);
  expect(shipment).toEqual({
    ...first,
    orderId: order.orderId,
    carrier: 'DHL',
    status: 'CREATED',
    events: [{ status: 'CREATED', timestamp: expect.any(String), location: null, details: null }],
  });
  await eventually(() => expect(heardOf(order.orderId)).toHaveLength(1));
  expect(heardOf(order.orderId)[0]).toMatchObject({
    id: `shipment-${order.orderId}-1`,
    type: 'shipment.updated',
    data: { orderId: order.orderId, status: 'CREATED', ...first },
  });
});

test('a shipment is found by its order, once it is created', async () => {
  const order = newOrder();
  const list = () => broker.call<unknown[], object>('tracking.list', { orderId: order.orderId });
  expect(await list()).toEqual([]);
  const { trackingNumber } = await create(order);
  expect(await list()).toEqual([await get(trackingNumber)]);
  const { orderId: unborn } = newOrder();
  await voidOf(unborn);
  expect(await broker.call('tracking.list', { orderId: unborn })).toEqual([]);
});

test('fifty orders at once share a few commits, and each gets its own number', async () => {
  const before = await batches();
  const orders = Array.from({ length: 50 }, () => newOrder());
  const made = await Promise.all(orders.map(create));
  expect(new Set(made.map((shipment) => shipment.trackingNumber)).size).toBe(50);
  expect((await batches()) - before).toBeLessThanOrEqual(3);
  const shipments = await Promise.all(made.map((shipment) => get(shipment.trackingNumber)));
  expect(shipments.map((shipment) => shipment.orderId)).toEqual(orders.map((order) => order.orderId));
});

test('fifty simultaneous requests for the same order create one shipment', async () => {
  const order = newOrder();
  const made = await Promise.all(Array.from({ length: 50 }, () => create(order)));
  expect(new Set(made.map((shipment) => shipment.trackingNumber)).size).toBe(1);
});

test('an order id reused with a different carrier or address is refused, alone in its batch', async () => {
  const order = newOrder();
  await create(order);
  const results = await Promise.allSettled([create({ ...order, carrier: 'UPS' }), create(newOrder())]);
  expect(results[0]).toMatchObject({ status: 'rejected', reason: { type: 'ORDER_ID_REUSED' } });
  expect(results[1]).toMatchObject({ status: 'fulfilled' });
});

test('a void that comes before its shipment wins: the late shipment is refused', async () => {
  const order = newOrder();
  expect(await voidOf(order.orderId)).toMatchObject({ success: true });
  await expect(create(order)).rejects.toMatchObject({ type: 'ILLEGAL_TRANSITION', data: { status: 'VOIDED' } });
  expect(await voidOf(order.orderId)).toMatchObject({ success: true });
  const unknown = `TRK-${uuidOf(order.orderId, new Uint8Array(8))}`;
  await expect(get(unknown)).rejects.toMatchObject({ type: 'NOT_FOUND' });
});

test('simultaneous void and create end in a voided shipment, whichever comes first', async () => {
  const orders = Array.from({ length: 20 }, () => newOrder());
  await Promise.allSettled(
    orders.flatMap((order, i) =>
      i % 2 ? [create(order), voidOf(order.orderId)] : [voidOf(order.orderId), create(order)],
    ),
  );
  const rows = await query<{ status: string }>(
    databaseUrl,
    'SELECT status FROM tracking.shipments WHERE order_id = ANY($1)',
    [orders.map((order) => order.orderId)],
  );
  expect(rows.map((row) => row.status)).toEqual(orders.map(() => 'VOIDED'));
});

test('a voided shipment publishes that once, takes no more events and cannot be created again', async () => {
  const order = newOrder();
  const { trackingNumber } = await create(order);
  await Promise.all([voidOf(order.orderId), voidOf(order.orderId)]);
  const shipment = await get(trackingNumber);
  expect(shipment.status).toBe('VOIDED');
  expect(statuses(shipment)).toEqual(['CREATED', 'VOIDED']);
  for (const status of ['IN_TRANSIT', 'DELIVERED']) {
    await expect(add({ trackingNumber, status })).rejects.toMatchObject({
      type: 'ILLEGAL_TRANSITION',
      data: { status: 'VOIDED', allowedEvents: [] },
    });
  }
  await expect(create(order)).rejects.toMatchObject({ type: 'ILLEGAL_TRANSITION' });
});

test('numbers that are malformed, unknown, or guessed from an order id are not found', async () => {
  const { orderId, ...rest } = newOrder();
  await create({ orderId, ...rest });
  const guessed = `TRK-${uuidOf(orderId, new Uint8Array(8))}`;
  for (const trackingNumber of [
    'x',
    'x'.repeat(3_000),
    'TRK-',
    'TRK-1',
    guessed,
    `TRK-${uuidOf(5, new Uint8Array(8))}`,
  ]) {
    await expect(get(trackingNumber)).rejects.toMatchObject({ type: 'NOT_FOUND' });
    await expect(add({ trackingNumber, status: 'LOST' })).rejects.toMatchObject({ type: 'NOT_FOUND' });
  }
});

test('a tracking number is found in upper or lower case', async () => {
  const { trackingNumber } = await create(newOrder());
  expect((await get(trackingNumber.toUpperCase())).trackingNumber).toBe(trackingNumber);
});

test('all faults of a shipment are reported at once', async () => {
  const wrong = { orderId: 1.5, customerName: ' ', deliveryAddress: 'x'.repeat(501), carrier: 'D\0L' };
  expect(await faultsOf(create(wrong))).toEqual(['carrier', 'customerName', 'deliveryAddress', 'orderId']);
  expect(await faultsOf(broker.call('tracking.createShipment', { ...newOrder(), color: 'red' }))).toHaveLength(1);
  await create({ orderId: nextOrderId(), deliveryAddress: 'Somewhere 1', carrier: 'GLS' });
});
