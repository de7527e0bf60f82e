/** The contract of a store of orders, kept by the one in PostgreSQL and by its twin in the simulator alike. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { uuidOf } from '../../machines/shared/ids.ts';
import { decide, place } from '../../machines/order/order.decide.ts';
import type { Decision, OrderEvent } from '../../machines/order/order.ts';
import type { Due } from '../../mixins/actor/actor.ts';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { migrate } from '../../mixins/database/migrations.ts';
import { migrations } from '../../services/orders/migrations/index.ts';
import { orderChange } from '../../services/orders/engine/order-change.ts';
import type { OrderMemory, OrderPort, Placement, Written } from '../../services/orders/store/order.port.ts';
import { inMemory, inPostgres, LEASE_MS, type Subject, TTL_MS } from '../support/order-stores.ts';
import { createDatabase } from '../support/postgres.ts';

let database: Database;
beforeAll(async () => {
  database = openDatabase(await createDatabase(), 'orders', 4);
  await migrate(database, migrations);
});
afterAll(() => database.close());

const AT = Date.UTC(2026, 5, 1);
let last = 1_000_000;
const freshId = (): number => ++last;

interface Given {
  id?: number;
  customerId?: number;
  key?: string | null;
  fingerprint?: string;
  /** Tells UUIDs of one id apart. */
  mark?: number;
}

function placementOf(given: Given = {}): Placement {
  const { id = freshId(), key = null, fingerprint = 'a'.repeat(32), mark = 1 } = given;
  const { customerId = id } = given;
  const request = {
    customerId,
    customerName: null,
    deliveryAddress: 'Café "12", \\ St James Square\n{London}',
    carrier: 'DHL',
    items: [
      { productId: 2, quantity: 1 },
      { productId: 1, quantity: 3 },
    ],
    requestId: 'request-1',
    keyed: key !== null,
  };
  const uuid = uuidOf(id, new Uint8Array(8).fill(mark));
  return { decision: place(request, id, uuid, AT), caller: 'somebody', key, fingerprint };
}

const SECURED: OrderEvent = {
  type: 'SECURED',
  prices: new Map([
    [1, 250n],
    [2, 999n],
  ]),
  shipment: { trackingNumber: 'TRK-1', estimatedDelivery: '2026-06-03T18:00:00.000Z' },
};
const decided = (memory: OrderMemory, event: OrderEvent): Decision => decide(memory.state, event, AT + 1) as Decision;
const step = (store: OrderPort, memory: OrderMemory, event: OrderEvent, due: Due = { at: 'rest' }): Promise<Written> =>
  store.save(orderChange({ memory, decision: decided(memory, event), due }, AT + 1));
const note = (store: OrderPort, memory: OrderMemory, due: Due): Promise<Written> =>
  store.save(orderChange({ memory, decision: undefined, due }, AT + 1));

async function placed(store: OrderPort, options?: Given): Promise<OrderMemory> {
  return (await store.insert(placementOf(options))) as OrderMemory;
}

describe.each([
  ['PostgreSQL', () => inPostgres(database)],
  ['the twin', inMemory],
])('the store of orders in %s', (_name, make) => {
  let subject: Subject;
  let here: OrderPort;
  let there: OrderPort;
  beforeAll(() => {
    subject = make();
    here = subject.node('here');
    there = subject.node('there');
  });

  test('an order that was inserted is read back as it was answered, leased to its node', async () => {
    const memory = await placed(here);
    expect(memory).toMatchObject({ version: 1, work: { owner: 'here', attempt: 0, lastError: null } });
    expect(await there.load(memory.id)).toEqual(memory);
    expect(await subject.seqs(memory.id)).toEqual([1]);
    expect((await subject.events(memory.id)).map(({ type }) => type)).toEqual(['order.created']);
  });

  test('there is nothing to read of an order that does not exist', async () => {
    expect(await here.load(freshId())).toBeUndefined();
    expect(await here.claimOne(freshId())).toBeUndefined();
  });

  test('a change is read back as it was answered, with its history and its events', async () => {
    const memory = await placed(here);
    const saved = await step(here, memory, SECURED);
    expect(saved).toMatchObject({ version: 2, work: { owner: null } });
    expect(await there.load(memory.id)).toEqual(saved);
    expect(saved?.state.total).toBe(1749n);
    expect(await subject.seqs(memory.id)).toEqual([1, 2]);
    expect((await subject.events(memory.id)).map(({ id }) => id)).toEqual(
      ['1', '2', '2-1'].map((seq) => `order-${memory.id}-${seq}`),
    );
  });

  test('of two changes at one version the first is written and the second is not', async () => {
    const memory = await placed(here);
    expect(await step(there, memory, { type: 'CANCEL' }, { at: 'lease' })).toBeDefined();
    expect(await step(here, memory, SECURED)).toBeUndefined();
    expect((await here.load(memory.id))?.state.state.status).toBe('CANCELLED');
    expect(await subject.seqs(memory.id)).toEqual([1, 2]);
  });

  test('a taken id stands against another order, with a key as without, and the key stays free', async () => {
    const first = await placed(here);
    expect(await there.insert(placementOf({ id: first.id, customerId: 5, mark: 2 }))).toBeUndefined();
    const keyed = placementOf({ id: first.id, customerId: 6, mark: 3, key: `taken-${first.id}` });
    expect(await there.insert(keyed)).toBeUndefined();
    expect(await there.earlier(keyed)).toBeUndefined();
    expect(await here.load(first.id)).toEqual(first);
    const again = await placed(there, { customerId: 6, mark: 3, key: `taken-${first.id}` });
    expect(again.state.customerId).toBe(6);
  });

  test('a neighbour of a placement whose id is taken is written', async () => {
    const first = await placed(here);
    const [refused, neighbour] = await Promise.all([
      there.insert(placementOf({ id: first.id, mark: 4, key: `poison-${first.id}` })),
      there.insert(placementOf()),
    ]);
    expect(refused).toBeUndefined();
    expect(neighbour).toBeDefined();
  });

  test('one order a key; the second finds the first, its body and the answer that was kept', async () => {
    const key = `key-${freshId()}`;
    const first = await placed(here, { key });
    const second = placementOf({ key, fingerprint: 'b'.repeat(32) });
    expect(await there.insert(second)).toBeUndefined();
    expect(await there.load(second.decision.order.id)).toBeUndefined();
    expect(await there.earlier(second)).toEqual({
      memory: first,
      fingerprint: 'a'.repeat(32),
      answer: null,
      running: true,
    });
    const confirmed = (await step(here, first, SECURED)) as OrderMemory;
    await step(here, confirmed, { type: 'SHIP' }, { at: 'lease' });
    const kept = await there.earlier(second);
    expect(kept?.answer?.order).toMatchObject({ orderId: first.id, status: 'CONFIRMED', totalPrice: 17.49 });
  });

  test('one pending order a body without a key; afterwards the same body is a new order', async () => {
    const first = await placed(here);
    const same = { customerId: first.state.customerId };
    expect(await there.insert(placementOf(same))).toBeUndefined();
    expect((await there.earlier(placementOf(same)))?.memory).toEqual(first);
    await step(here, first, SECURED);
    expect(await there.earlier(placementOf(same))).toBeUndefined();
    expect(await there.insert(placementOf(same))).toBeDefined();
  });

  test('work is claimed once its lease has run out, by one node, with a new version', async () => {
    const memory = await placed(here);
    expect(await there.claimOne(memory.id)).toBeUndefined();
    await subject.pass(LEASE_MS + 1);
    expect((await there.earlier(placementOf({ customerId: memory.id })))?.running).toBe(false);
    const claims = await Promise.all([here.claimDue(1_000), there.claimDue(1_000)]);
    const mine = claims.flat().filter((claimed) => claimed.memory.id === memory.id);
    expect(mine).toHaveLength(1);
    expect(mine[0]?.memory.version).toBe(2);
    expect(await step(here, memory, SECURED)).toBeUndefined();
    expect(await here.claimOne(memory.id)).toBeUndefined();
  });

  test('work that pauses is nobody’s: recovery waits for its time, who asks for it need not', async () => {
    const memory = await placed(here);
    const due: Due = { at: 'pause', pauseMs: 5_000, attempt: 3, lastError: 'away' };
    const paused = await note(here, memory, due);
    expect(paused?.work).toEqual({ owner: null, attempt: 3, lastError: 'away' });
    expect((await there.claimDue(1_000)).map((claimed) => claimed.memory.id)).not.toContain(memory.id);
    const claimed = await there.claimOne(memory.id);
    expect(claimed).toMatchObject({
      overdue: false,
      memory: { work: { owner: 'there', attempt: 3, lastError: 'away' } },
    });
    expect(await subject.seqs(memory.id)).toEqual([1]);
  });

  test('no more is claimed than asked for, what is due longest first', async () => {
    await subject.pass(LEASE_MS);
    await here.claimDue(1_000);
    const [second, first] = [await placed(here), await placed(here)];
    const pause = (memory: OrderMemory, pauseMs: number) =>
      note(here, memory, { at: 'pause', pauseMs, attempt: 1, lastError: 'away' });
    await pause(second, 200);
    await pause(first, 100);
    await subject.pass(300);
    expect((await there.claimDue(1)).map((claimed) => claimed.memory.id)).toEqual([first.id]);
    expect((await there.claimDue(5)).map((claimed) => claimed.memory.id)).toEqual([second.id]);
  });

  test('parked work is announced once and left alone until somebody asks for it', async () => {
    const memory = (await step(here, await placed(here), SECURED)) as OrderMemory;
    const shipped = (await step(here, memory, { type: 'SHIP' }, { at: 'lease' })) as OrderMemory;
    await note(here, shipped, { at: 'parked', attempt: 4, lastError: 'never' });
    await subject.pass(TTL_MS * 10);
    expect((await here.claimDue(1_000)).map((claimed) => claimed.memory.id)).not.toContain(memory.id);
    const told = (await subject.events(memory.id)).filter(({ type }) => type === 'order.attentionRequired');
    expect(told.map(({ data }) => data)).toMatchObject([{ attempt: 4, lastError: 'never', owes: ['consume'] }]);
    expect((await here.claimOne(memory.id))?.memory.work.owner).toBe('here');
  });

  test('a pending order expires at its deadline, parked or not', async () => {
    const [waiting, parked] = [await placed(here), await placed(here)];
    await note(here, parked, { at: 'parked', attempt: 4, lastError: 'never' });
    await subject.pass(TTL_MS + 1);
    const overdue = (await there.claimDue(1_000))
      .filter((claimed) => claimed.overdue)
      .map((claimed) => claimed.memory.id);
    expect(overdue).toEqual(expect.arrayContaining([waiting.id, parked.id]));
  });

  test('an order at rest is not claimed', async () => {
    const memory = await placed(here);
    await step(here, memory, SECURED);
    await subject.pass(TTL_MS);
    expect((await here.claimDue(1_000)).map((claimed) => claimed.memory.id)).not.toContain(memory.id);
    expect(await here.claimOne(memory.id)).toBeUndefined();
  });

  test('a row of a newer machine is refused when it is read, left by recovery, and fails no neighbour', async () => {
    const [newer, known] = [await placed(here), await placed(here)];
    await subject.age(newer.id);
    const [refused, read] = await Promise.allSettled([here.load(newer.id), here.load(known.id)]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { type: 'SERVICE_UNAVAILABLE', retryable: true } });
    expect(read).toEqual({ status: 'fulfilled', value: known });
    await subject.pass(LEASE_MS + 1);
    const claimed = (await there.claimDue(1_000)).map(({ memory }) => memory.id);
    expect(claimed).toContain(known.id);
    expect(claimed).not.toContain(newer.id);
    expect(await there.claimOne(newer.id)).toBeUndefined();
  });
});
