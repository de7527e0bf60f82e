/** cancel, ship, deliver on the whole engine: durable at once, repeatable, and each effect exactly once. */
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Engine, hang, bodyOf, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { latch } from '../support/latch.ts';

let engine: Engine;
/** One more node on the same database. */
let second: Engine;
let product: number;
beforeAll(async () => {
  engine = await startEngine();
  second = await startEngine({ databaseUrl: engine.databaseUrl, nodeID: 'engine-2' });
});
beforeEach(async () => {
  product = await engine.product({ stock: 100 });
});
afterEach(() => Promise.all([engine.restore(), second.restore()]));

const put = (id: number, command: string, headers: Record<string, string> = {}) =>
  engine.send<Record<string, unknown>>('PUT', `/orders/${id}/${command}`, { headers });
const etagOf = async (id: number): Promise<string> =>
  (await engine.send('GET', `/orders/${id}`)).headers.get('ETag') as string;
const eventsOf = async (id: number): Promise<string[]> => (await engine.history(id)).map(({ event }) => event);
const atRest = (id: number): Promise<void> =>
  eventually(async () => expect((await engine.explain(id)).waitingFor).toBeNull());

test('ship takes the stock, deliver ends the order, and every repeat is 204 without another effect', async () => {
  const { orderId } = await engine.confirmed(product, 3);
  for (const command of ['ship', 'ship', 'deliver', 'deliver']) expect((await put(orderId, command)).status).toBe(204);
  await atRest(orderId);
  expect(await engine.order(orderId)).toMatchObject({ status: 'DELIVERED' });
  expect(await engine.stock(product)).toEqual([97, 0]);
  expect(engine.called('inventory.consume', orderId)).toBe(1);
  const events = await eventsOf(orderId);
  expect(events.toSorted()).toEqual(['DELIVER', 'PLACE', 'SECURED', 'SHIP', 'STOCK_CONSUMED']);
});

test('cancel releases the stock and voids the shipment, and its repeat is 204 without another effect', async () => {
  const { orderId } = await engine.confirmed(product, 3);
  for (let i = 0; i < 3; i++) expect((await put(orderId, 'cancel')).status).toBe(204);
  await atRest(orderId);
  expect(await engine.stock(product)).toEqual([100, 0]);
  expect(await engine.shipment(orderId)).toBe('VOIDED');
  expect([engine.called('inventory.release', orderId), engine.called('tracking.void', orderId)]).toEqual([1, 1]);
  const cancelled = (await engine.history(orderId)).find(({ to, from }) => to === 'CANCELLED' && from !== to);
  expect(cancelled).toMatchObject({ seq: 3, event: 'CANCEL', from: 'CONFIRMED' });
});

test('what the state does not allow is 409 with the state and what is allowed', async () => {
  const { orderId } = await engine.confirmed(product);
  const early = await put(orderId, 'deliver');
  expect(early).toMatchObject({ status: 409, body: { status: 'CONFIRMED', allowedEvents: ['CANCEL', 'SHIP'] } });
  await put(orderId, 'ship');
  expect(await put(orderId, 'cancel')).toMatchObject({ status: 409, body: { status: 'SHIPPED' } });
  await put(orderId, 'deliver');
  expect(await put(orderId, 'cancel')).toMatchObject({ status: 409, body: { status: 'DELIVERED' } });
  const cancelled = await engine.confirmed(product);
  await put(cancelled.orderId, 'cancel');
  for (const command of ['ship', 'deliver']) {
    expect(await put(cancelled.orderId, command)).toMatchObject({ status: 409, body: { status: 'CANCELLED' } });
  }
});

test('a command to an order that does not exist is 404, by either form of its number', async () => {
  const { orderNumber } = await engine.confirmed(product);
  const stranger = `${orderNumber.slice(0, -1)}${orderNumber.endsWith('0') ? '1' : '0'}`;
  for (const id of ['4711', 'ORD-x', stranger]) {
    expect((await engine.send('PUT', `/orders/${id}/cancel`)).status).toBe(404);
  }
  expect((await engine.send('PUT', `/orders/${orderNumber}/cancel`)).status).toBe(204);
});

test('If-Match accepts a command only for the version of the order that was read', async () => {
  const { orderId } = await engine.confirmed(product);
  const stale = await etagOf(orderId);
  expect((await engine.send('GET', `/orders/${orderId}`, { headers: { 'If-None-Match': stale } })).status).toBe(304);
  expect((await put(orderId, 'ship', { 'If-Match': stale })).status).toBe(204);
  await atRest(orderId);
  expect(await etagOf(orderId)).not.toBe(stale);
  expect(await put(orderId, 'deliver', { 'If-Match': stale })).toMatchObject({
    status: 412,
    body: { status: 'SHIPPED' },
  });
  expect(await engine.order(orderId)).toMatchObject({ status: 'SHIPPED' });
  expect((await put(orderId, 'deliver', { 'If-Match': `"x", ${await etagOf(orderId)}` })).status).toBe(204);
  expect((await put(orderId, 'deliver', { 'If-Match': '*' })).status).toBe(204);
});

test('a cancel is accepted while both peers are away, and its effects follow automatically, exactly once', async () => {
  const { orderId } = await engine.confirmed(product, 4);
  await Promise.all([engine, second].flatMap((node) => [node.takeAway('inventory'), node.takeAway('tracking')]));
  expect((await put(orderId, 'cancel')).status).toBe(204);
  await eventually(async () => expect((await engine.explain(orderId)).lastError).toMatch(/inventory|tracking/));
  expect(await engine.order(orderId)).toMatchObject({ status: 'CANCELLED' });
  await Promise.all([engine, second].flatMap((node) => [node.bringBack('inventory'), node.bringBack('tracking')]));
  await atRest(orderId);
  expect(await engine.stock(product)).toEqual([100, 0]);
  expect(await engine.shipment(orderId)).toBe('VOIDED');
  const events = await eventsOf(orderId);
  expect(events.filter((event) => event === 'STOCK_RELEASED')).toHaveLength(1);
  expect(events.filter((event) => event === 'SHIPMENT_VOIDED')).toHaveLength(1);
});

test('ship and deliver are accepted while inventory hangs, and the stock is taken once when it answers again', async () => {
  const { orderId } = await engine.confirmed(product, 4);
  for (const node of [engine, second]) node.disturb('inventory.consume', hang);
  expect((await put(orderId, 'ship')).status).toBe(204);
  expect((await put(orderId, 'deliver')).status).toBe(204);
  expect(await engine.stock(product)).toEqual([100, 4]);
  // The hardest case is a lost answer of a call that succeeded: its effect must not be repeated.
  for (const node of [engine, second]) node.disturb('inventory.consume', (run) => run().then(() => hang(run)));
  await eventually(async () => expect(await engine.stock(product)).toEqual([96, 0]));
  for (const node of [engine, second]) node.disturb('inventory.consume', undefined);
  await atRest(orderId);
  expect(await engine.stock(product)).toEqual([96, 0]);
  expect((await eventsOf(orderId)).filter((event) => event === 'STOCK_CONSUMED')).toHaveLength(1);
});

test('a cancel that overtakes the reservation wins: the late reserve holds nothing', async () => {
  const body = bodyOf(product, 5);
  const way = latch();
  let late: Promise<unknown> | undefined;
  engine.disturb('inventory.reserve', (run) => {
    late ??= way.opened.then(run);
    return hang(run);
  });
  const placing = engine.post(body);
  await eventually(() => expect(late).toBeDefined());
  const [row] = await engine.rows<{ id: string }>('SELECT id FROM orders.orders WHERE customer_id = $1', [
    body.customerId,
  ]);
  const orderId = Number(row?.id);
  expect((await put(orderId, 'cancel')).status).toBe(204);
  expect(await placing).toMatchObject({ status: 409, body: { orderId, status: 'CANCELLED' } });
  await atRest(orderId);
  way.open();
  expect(await late).toMatchObject({ success: false });
  expect(await engine.stock(product)).toEqual([100, 0]);
  expect(await engine.order(orderId)).toMatchObject({ status: 'CANCELLED' });
});

test('a parcel that tracking marks DELIVERED makes its order DELIVERED, shipped first if nobody had', async () => {
  const shipped = await engine.confirmed(product, 1);
  await put(shipped.orderId, 'ship');
  const confirmed = await engine.confirmed(product, 1);
  for (const { orderId, trackingNumber } of [shipped, confirmed]) {
    await engine.broker.call('tracking.addEvent', { trackingNumber, status: 'DELIVERED', location: 'Leeds' });
    await eventually(async () => expect((await engine.order(orderId)).status).toBe('DELIVERED'));
    await atRest(orderId);
  }
  expect(await engine.stock(product)).toEqual([98, 0]);
  expect((await eventsOf(confirmed.orderId)).slice(2, 4)).toEqual(['SHIP', 'DELIVER']);
});

test('of a simultaneous cancel and ship on two nodes exactly one wins, and the books agree with it', async () => {
  for (let round = 0; round < 8; round++) {
    const { orderId } = await engine.confirmed(product, 1);
    const [before] = await engine.stock(product);
    const all = await Promise.allSettled([engine.command('cancel', orderId), second.command('ship', orderId)]);
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = all.find((end) => end.status === 'rejected');
    expect(refused?.reason).toMatchObject({ type: 'ILLEGAL_TRANSITION', code: 409 });
    await atRest(orderId);
    const { status } = await engine.order(orderId);
    expect(await engine.stock(product)).toEqual([status === 'SHIPPED' ? before - 1 : before, 0]);
    // Tracking learns of a shipped order from its event, which follows.
    const parcel = status === 'SHIPPED' ? 'SHIPPED' : 'VOIDED';
    await eventually(async () => expect(await engine.shipment(orderId)).toBe(parcel));
  }
});

test('the same command sent to two nodes many times at once is one transition', async () => {
  const { orderId } = await engine.confirmed(product, 2);
  const nodes = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? engine : second));
  const views = await Promise.all(nodes.map((node) => node.command('ship', orderId)));
  expect(new Set(views.map(({ status }) => status))).toEqual(new Set(['SHIPPED']));
  await atRest(orderId);
  expect(await eventsOf(orderId)).toEqual(['PLACE', 'SECURED', 'SHIP', 'STOCK_CONSUMED']);
  expect(await engine.stock(product)).toEqual([98, 0]);
});
