/** Who may claim owed work, and when: the same for the PostgreSQL store and its twin in the simulator. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { migrate } from '../../mixins/database/migrations.ts';
import { migrations } from '../../services/orders/migrations/index.ts';
import { inMemory, inPostgres, LEASE_MS, type Subject, TTL_MS } from '../support/order-stores.ts';
import { createDatabase } from '../support/postgres.ts';
import type { OrderMemory, OrderPort } from '../../services/orders/store/order.port.ts';
import type { Due } from '../../mixins/actor/actor.ts';
import type { Peer } from '../../machines/order/order.words.ts';
import { note, placed, placementOf, SECURED, step } from '../support/order-fixtures.ts';

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

  test('paused work has no owner: recovery waits until it is due, an explicit claim does not', async () => {
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

  test('work is left to nodes that can reach the peer it waits for, but an overdue order is claimed anyway', async () => {
    const reserving = await placed(here);
    const confirmed = (await step(here, await placed(here), SECURED)) as OrderMemory;
    const shipped = (await step(here, confirmed, { type: 'SHIP' }, { at: 'lease' })) as OrderMemory;
    const cancelled = (await step(
      here,
      (await step(here, await placed(here), SECURED)) as OrderMemory,
      { type: 'CANCEL' },
      { at: 'lease' },
    )) as OrderMemory;
    await subject.pass(LEASE_MS + 1);
    const ours = new Set([reserving.id, shipped.id, cancelled.id]);
    const claimedWithout = async (...away: Peer[]): Promise<number[]> =>
      (await there.claimDue(1_000, away)).map(({ memory }) => memory.id).filter((id) => ours.has(id));

    expect(await claimedWithout('inventory', 'tracking')).toEqual([]);
    // Its stock has to be released and its shipment voided: the one is possible without the other.
    expect(await claimedWithout('inventory')).toEqual([cancelled.id]);
    expect(new Set(await claimedWithout('tracking'))).toEqual(new Set([reserving.id, shipped.id]));
    await subject.pass(TTL_MS);
    expect(await claimedWithout('inventory', 'tracking')).toEqual([reserving.id]);
  });

  test('at most the requested number is claimed, the longest overdue first', async () => {
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

  test('parked work is announced once and left alone until somebody retries it', async () => {
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
