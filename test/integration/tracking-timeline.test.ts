/** The timeline of a shipment on real PostgreSQL: what carriers report and orders tell, each once. */
import { expect, test } from '@jest/globals';
import { openDatabase } from '../../mixins/database/database.ts';
import { type TimelineChange, changeShipments } from '../../services/tracking/store/change-shipments.ts';
import type { AddEventParams } from '../../services/tracking/tracking.types.ts';
import { eventually } from '../support/eventually.ts';
import { query } from '../support/postgres.ts';
import {
  databaseUrl,
  newOrder,
  create,
  get,
  add,
  voidOf,
  publish,
  statuses,
  heardOf,
  faultsOf,
  useTracking,
} from '../support/tracking-node.ts';

useTracking();

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

test('simultaneous reports on one shipment are all recorded', async () => {
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
    const report = (status: string): TimelineChange => ({
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

test('a delivery is recorded and published once: repeats get the first answer, anything else is refused', async () => {
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

test("an order's own events enter the timeline once, and wait for a shipment that is still owed", async () => {
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

test('events of an order whose shipment is voided, or further along, change nothing', async () => {
  const voided = newOrder();
  await voidOf(voided.orderId);
  await publish('order.shipped', voided.orderId);
  const { orderId, ...rest } = newOrder();
  const { trackingNumber } = await create({ orderId, ...rest });
  await add({ trackingNumber, status: 'IN_TRANSIT' });
  await publish('order.shipped', orderId);
  expect(statuses(await get(trackingNumber))).toEqual(['CREATED', 'IN_TRANSIT']);
});

test('all faults of an event are reported at once, including those of free fields', async () => {
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
