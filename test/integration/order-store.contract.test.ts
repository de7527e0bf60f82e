/** The contract of a store of orders, kept by the one in PostgreSQL and by its twin in the simulator alike. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { migrate } from '../../mixins/database/migrations.ts';
import { migrations } from '../../services/orders/migrations/index.ts';
import { inMemory, inPostgres, type Subject } from '../support/order-stores.ts';
import { createDatabase } from '../support/postgres.ts';
import type { OrderMemory, OrderPort } from '../../services/orders/store/order.port.ts';
import { freshId, placed, placementOf, SECURED, step } from '../support/order-fixtures.ts';

let database: Database;
beforeAll(async () => {
  database = openDatabase(await createDatabase(), 'orders', 4);
  await migrate(database, migrations);
});
afterAll(() => database.close());

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
});
