/** Tracking on real PostgreSQL: one shipment an order, whatever comes twice, together or in the wrong order. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ServiceBroker } from 'moleculer';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { uuidOf } from '../../machines/shared/ids.ts';
import { openDatabase } from '../../mixins/database/database.ts';
import { shareStream, type StreamShare } from '../../mixins/events/stream/shared-stream.ts';
import { type Change, changeShipments } from '../../services/tracking/store/change-shipments.ts';
import tracking from '../../services/tracking/tracking.service.ts';
import type {
  AddEventParams,
  AddEventResult,
  CreateShipmentParams,
  CreateShipmentResult,
  ShipmentResult,
  VoidShipmentResult,
} from '../../services/tracking/tracking.types.ts';
import { eventually } from '../support/eventually.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { programBroker } from '../support/broker.ts';

let broker: ServiceBroker;
const heard: DomainEvent<'shipment.updated'>[] = [];
let databaseUrl: string;
let stream: StreamShare;
let lastOrderId = 7_000_000_000;

beforeAll(async () => {
  databaseUrl = await createDatabase();
  broker = programBroker({ NODEID: 'tracking-test', DATABASE_URL: databaseUrl });
  broker.createService(tracking);
  broker.createService({
    name: 'listener',
    events: { 'shipment.updated': (ctx: { params: DomainEvent<'shipment.updated'> }) => void heard.push(ctx.params) },
  });
  stream = shareStream(broker);
  await broker.start();
});

afterAll(async () => {
  await stream.release();
  await broker.stop();
});

const newOrder = (changes: Partial<CreateShipmentParams> = {}): CreateShipmentParams => ({
  orderId: ++lastOrderId,
  customerName: 'Ada Lovelace',
  deliveryAddress: '12 St James Square, London',
  carrier: 'DHL',
  ...changes,
});
const create = (params: CreateShipmentParams) =>
  broker.call<CreateShipmentResult, CreateShipmentParams>('tracking.createShipment', params);
const get = (trackingNumber: string) =>
  broker.call<ShipmentResult, { trackingNumber: string }>('tracking.get', { trackingNumber });
const add = (params: AddEventParams) => broker.call<AddEventResult, AddEventParams>('tracking.addEvent', params);
const voidOf = (orderId: number) => broker.call<VoidShipmentResult, { orderId: number }>('tracking.void', { orderId });
const publish = (type: 'order.shipped' | 'order.delivered', orderId: number, id = `order-${orderId}-${type}`) =>
  stream.stream.publish({
    id,
    type,
    key: `order-${orderId}`,
    at: '2026-11-22T10:00:00.000Z',
    data: { orderId, orderNumber: 'ORD-1', customerId: 1, status: 'SHIPPED', seq: 3, totalPrice: 1 },
  });
const statuses = (shipment: ShipmentResult) => shipment.events.map((event) => event.status);
const heardOf = (orderId: number) => heard.filter((event) => event.key === `shipment-${orderId}`);

/** How many outbox rows were ever written: one a batch. */
async function batches(): Promise<number> {
  const rows = await query<{ last: string }>(
    databaseUrl,
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM tracking.outbox_id_seq',
  );
  return Number(rows[0]?.last);
}

test('a shipment is made once: the same order gets the same tracking number again, and one event goes out', async () => {
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

test('fifty orders at once share a few commits, and each gets its own number', async () => {
  const before = await batches();
  const orders = Array.from({ length: 50 }, () => newOrder());
  const made = await Promise.all(orders.map(create));
  expect(new Set(made.map((shipment) => shipment.trackingNumber)).size).toBe(50);
  expect((await batches()) - before).toBeLessThanOrEqual(3);
  const shipments = await Promise.all(made.map((shipment) => get(shipment.trackingNumber)));
  expect(shipments.map((shipment) => shipment.orderId)).toEqual(orders.map((order) => order.orderId));
});

test('the same order fifty times at once is one shipment', async () => {
  const order = newOrder();
  const made = await Promise.all(Array.from({ length: 50 }, () => create(order)));
  expect(new Set(made.map((shipment) => shipment.trackingNumber)).size).toBe(1);
});

test('an order id that comes with another carrier or address is refused, alone in its batch', async () => {
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

test('void and create at once end in a voided shipment, whoever is first', async () => {
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

test('a voided shipment says so once, takes no more events and is not made again', async () => {
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

test('a timeline keeps what carriers report, free fields included, in the order of the reports', async () => {
  const { trackingNumber } = await create(newOrder());
  const free = { temperature: -3.5, scan: { depot: 'LEJ', belts: [1, 2] }, signedBy: null, 'odd name': true };
  const answer = await add({
    trackingNumber,
    status: 'in_transit',
    location: 'Leipzig',
    details: { flight: 'LH 8160' },
    timestamp: '2026-11-22T10:00:00.5+01:00',
    ...free,
  });
  const entry = {
    status: 'IN_TRANSIT',
    timestamp: '2026-11-22T09:00:00.500Z',
    location: 'Leipzig',
    details: { flight: 'LH 8160' },
    ...free,
  };
  expect(answer).toMatchObject({ trackingNumber, ...entry });
  await add({ trackingNumber, status: 'OUT_FOR_DELIVERY', details: 'before noon' });
  const shipment = await get(trackingNumber);
  expect(shipment.status).toBe('OUT_FOR_DELIVERY');
  expect(shipment.events.slice(1)).toEqual([
    entry,
    { status: 'OUT_FOR_DELIVERY', timestamp: expect.any(String), location: null, details: 'before noon' },
  ]);
});

test('reports of one shipment that come at once are all recorded', async () => {
  const { trackingNumber } = await create(newOrder());
  await Promise.all(Array.from({ length: 30 }, (_, n) => add({ trackingNumber, status: 'SCANNED', n })));
  const { events } = await get(trackingNumber);
  expect(events.slice(1).map((event) => event.n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
});

test('a batch that is tried again after a lost answer records nothing twice', async () => {
  const { orderId, ...rest } = newOrder();
  const { trackingNumber } = await create({ orderId, ...rest });
  const database = openDatabase(databaseUrl, 'tracking', 2);
  try {
    const report = (status: string): Change => ({
      orderId,
      event: 'REPORT',
      status,
      location: null,
      details: null,
      extra: null,
      happenedAt: '2026-11-22T10:00:00Z',
      id: status,
    });
    const batch = [report('SORTED'), report('LOADED')];
    for (let attempt = 0; attempt < 2; attempt++) {
      const outcomes = await changeShipments(database, batch, Date.now(), () => undefined);
      expect(outcomes).toEqual([{ kind: 'recorded' }, { kind: 'recorded' }]);
    }
  } finally {
    await database.close();
  }
  expect(statuses(await get(trackingNumber))).toEqual(['CREATED', 'SORTED', 'LOADED']);
});

test('a delivery is recorded and told once: repeats answer the first, anything else is refused', async () => {
  const { orderId, ...rest } = newOrder();
  const { trackingNumber } = await create({ orderId, ...rest });
  const first = await add({ trackingNumber, status: 'DELIVERED', location: 'front door', signedBy: 'Ada' });
  expect(await add({ trackingNumber, status: 'delivered', location: 'elsewhere' })).toEqual(first);
  await expect(add({ trackingNumber, status: 'RETURNED' })).rejects.toMatchObject({
    type: 'ILLEGAL_TRANSITION',
    data: { status: 'DELIVERED' },
  });
  expect(await voidOf(orderId)).toMatchObject({ success: false });
  expect(statuses(await get(trackingNumber))).toEqual(['CREATED', 'DELIVERED']);
  await eventually(() => expect(heardOf(orderId).map((event) => event.data.status)).toEqual(['CREATED', 'DELIVERED']));
});

test('a full timeline refuses reports and still takes the delivery', async () => {
  const { orderId, ...rest } = newOrder();
  const { trackingNumber } = await create({ orderId, ...rest });
  await query(databaseUrl, "UPDATE tracking.shipments SET seq = 1000, status = 'SCANNED' WHERE order_id = $1", [
    orderId,
  ]);
  await expect(add({ trackingNumber, status: 'SCANNED' })).rejects.toMatchObject({
    type: 'ILLEGAL_TRANSITION',
    data: { allowedEvents: ['DELIVER', 'VOID'] },
  });
  expect(await add({ trackingNumber, status: 'DELIVERED' })).toMatchObject({ status: 'DELIVERED' });
});

test("an order's own news come into the timeline once, and wait for a shipment that is still owed", async () => {
  const order = newOrder();
  await expect(publish('order.shipped', order.orderId)).rejects.toMatchObject({ type: 'SERVICE_UNAVAILABLE' });
  const { trackingNumber } = await create(order);
  await publish('order.shipped', order.orderId);
  await publish('order.shipped', order.orderId);
  await publish('order.shipped', order.orderId, 'the same news under another id');
  await publish('order.delivered', order.orderId);
  await publish('order.delivered', order.orderId, 'again under another id');
  const shipment = await get(trackingNumber);
  expect(statuses(shipment)).toEqual(['CREATED', 'SHIPPED', 'DELIVERED']);
  expect(shipment.events[1]?.timestamp).toBe('2026-11-22T10:00:00.000Z');
});

test('news of an order whose shipment is voided, or further along, change nothing', async () => {
  const voided = newOrder();
  await voidOf(voided.orderId);
  await publish('order.shipped', voided.orderId);
  const { orderId, ...rest } = newOrder();
  const { trackingNumber } = await create({ orderId, ...rest });
  await add({ trackingNumber, status: 'IN_TRANSIT' });
  await publish('order.shipped', orderId);
  expect(statuses(await get(trackingNumber))).toEqual(['CREATED', 'IN_TRANSIT']);
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

test('a number is found however its letters are written', async () => {
  const { trackingNumber } = await create(newOrder());
  expect((await get(trackingNumber.toUpperCase())).trackingNumber).toBe(trackingNumber);
});

/** The fields that a call's faults name, sorted. */
async function faultsOf(call: Promise<unknown>): Promise<string[]> {
  const error = await call.then(
    () => undefined,
    (thrown: { type: string; data: { details: { field: string }[] } }) => thrown,
  );
  expect(error?.type).toBe('VALIDATION_FAILED');
  return (error?.data.details ?? []).map((fault) => fault.field).toSorted();
}

test('all faults of a shipment are named at once', async () => {
  const wrong = { orderId: 1.5, customerName: ' ', deliveryAddress: 'x'.repeat(501), carrier: 'D\0L' };
  expect(await faultsOf(create(wrong))).toEqual(['carrier', 'customerName', 'deliveryAddress', 'orderId']);
  expect(await faultsOf(broker.call('tracking.createShipment', { ...newOrder(), color: 'red' }))).toHaveLength(1);
  await create({ orderId: ++lastOrderId, deliveryAddress: 'Somewhere 1', carrier: 'GLS' });
});

test('all faults of an event are named at once, those of free fields too', async () => {
  const { trackingNumber } = await create(newOrder());
  let deep: unknown = 'bottom';
  for (let i = 0; i < 50_000; i++) deep = [deep];
  for (const timestamp of ['0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00']) {
    expect(await faultsOf(add({ trackingNumber, status: 'A', timestamp }))).toEqual(['timestamp']);
  }
  const wrong = { trackingNumber, status: '9', location: '', timestamp: '2026-02-30T00:00:00Z', deep, nul: ['\0'] };
  expect(await faultsOf(add(wrong))).toEqual(['deep', 'location', 'nul', 'status', 'timestamp']);
  for (const status of ['CREATED', 'voided', 'A'.repeat(51), 'OUT FOR DELIVERY']) {
    expect(await faultsOf(add({ trackingNumber, status }))).toEqual(['status']);
  }
  const names = JSON.parse(
    `{"trackingNumber":"${trackingNumber}","status":"OK","__proto__":{"a":1}}`,
  ) as AddEventParams;
  expect(await faultsOf(add(names))).toEqual(['__proto__']);
  expect(await faultsOf(add({ trackingNumber, status: 'OK', a: { constructor: 1 } }))).toEqual(['a']);
  expect(await faultsOf(add({ trackingNumber, status: 'OK', note: 'x'.repeat(17_000) }))).toEqual(['details']);
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`f${i}`, i]));
  expect(await faultsOf(add({ trackingNumber, status: 'OK', ...many }))).toEqual(['details']);
  expect(statuses(await get(trackingNumber))).toEqual(['CREATED']);
});
