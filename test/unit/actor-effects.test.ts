/** The owed effects of an actor, on in-memory ports: late answers, failures, pauses and parking. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import type { Answer, Due } from '../../mixins/actor/actor.ts';
import { backoffMs } from '../../mixins/actor/backoff.ts';
import { LampWorld, Never, NobodyThere, NODE, type LampEvent } from '../support/lamp.ts';
import { latch } from '../support/latch.ts';

const lastDue = (world: LampWorld): Due => world.changes.at(-1)?.due as Due;

test('an answer that arrives after the actor has moved on is dropped, and what is owed now is done', async () => {
  const world = new LampWorld();
  const peer = latch();
  world.onPerform = (effect) =>
    effect === 'light' ? peer.opened.then(() => ({ event: 'LIT' })) : Promise.resolve({ event: 'DIMMED' });
  await world.tell('SHINE');
  await world.tell('PUT_OUT');
  peer.open();
  await world.host.drained();
  expect(world.row).toMatchObject({ state: 'out', work: { attempt: 0, lastError: null } });
  expect(world.log.filter((entry) => entry === 'dim')).toHaveLength(1);
});

test('a failure of an effect that is no longer needed is not recorded, and what is owed now is done', async () => {
  const world = new LampWorld();
  const peer = latch();
  world.onPerform = (effect) =>
    effect === 'light'
      ? peer.opened.then(() => Promise.reject(new Error('the bulb is away')))
      : Promise.resolve({ event: 'DIMMED' });
  await world.tell('SHINE');
  await world.tell('PUT_OUT');
  peer.open();
  await world.host.drained();
  expect(world.row).toMatchObject({ state: 'out', work: { attempt: 0, lastError: null } });
  expect(world.changes.map((change) => change.due.at)).not.toContain('pause');
});

test('an answer that arrives after another node took the row over is dropped, and this node does nothing more', async () => {
  const world = new LampWorld();
  const peer = latch();
  world.onPerform = () => peer.opened.then(() => ({ event: 'LIT' }));
  await world.tell('SHINE');
  world.put('dimming', { owner: 'there' });
  peer.open();
  await world.host.drained();
  expect(world.row).toMatchObject({ state: 'dimming', work: { owner: 'there' } });
  expect(world.log).not.toContain('dim');
});

test('a failed attempt leaves the effect owed, with its error and a pause, to whichever node finds it', async () => {
  const world = new LampWorld();
  world.onPerform = () => Promise.reject(new Error('the bulb is away'));
  await world.tell('SHINE');
  await world.host.drained();
  expect(world.row).toMatchObject({
    state: 'lighting',
    work: { owner: null, attempt: 1, lastError: 'the bulb is away' },
  });
  expect(lastDue(world)).toMatchObject({ at: 'pause', attempt: 1 });
  expect(world.log.filter((entry) => entry === 'light')).toHaveLength(1);
});

test('attempts count up over resumes with growing pauses, and the last one parks the work', async () => {
  const world = new LampWorld('lighting', { maxAttempts: 4 });
  world.onPerform = () => Promise.reject(new Error('away'));
  const dues: Due[] = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    await world.host.resume(world.lease(world.row.work.attempt));
    dues.push(lastDue(world));
  }
  expect(dues.map(({ at }) => at)).toEqual(['pause', 'pause', 'pause', 'parked']);
  const pauses = dues.flatMap((due) => (due.at === 'pause' ? [due.pauseMs] : []));
  for (const [i, full] of [100, 200, 400].entries()) {
    expect(pauses[i]).toBeGreaterThanOrEqual(full / 2);
    expect(pauses[i]).toBeLessThanOrEqual(full);
  }
  expect(world.row).toMatchObject({ state: 'lighting', work: { attempt: 4, lastError: 'away' } });
});

test('a permanent refusal parks the work at once', async () => {
  const world = new LampWorld('lighting');
  world.onPerform = () => Promise.reject(new Never('no such bulb'));
  await world.host.resume(world.lease());
  expect(lastDue(world)).toEqual({ at: 'parked', attempt: 1, lastError: 'no such bulb' });
});

test('a resumed actor that succeeds is at rest with a clean slate', async () => {
  const world = new LampWorld('lighting');
  const after = await world.host.resume(world.lease(3));
  expect(after).toMatchObject({ state: 'lit', work: { owner: null, attempt: 0, lastError: null } });
});

test('an answer that comes with a failure is committed, and pauses what stays owed', async () => {
  const world = new LampWorld('lighting');
  // The state that PUT_OUT leads to owes more: that part has already failed.
  world.onPerform = (): Promise<Answer<LampEvent>> =>
    Promise.resolve({ event: 'PUT_OUT', failure: new Error('half done') });
  await world.host.resume(world.lease());
  expect(world.row).toMatchObject({ state: 'dimming', work: { owner: null, attempt: 1, lastError: 'half done' } });
  expect(world.log).not.toContain('dim');
});

test('a failure that cannot be recorded is left to the lease, and no caller waits for it', async () => {
  const world = new LampWorld('lighting');
  world.onPerform = () => Promise.reject(new Error('away'));
  world.onSave = () => Promise.reject(new ServiceUnavailable('the database too'));
  const leased = world.lease();
  expect(await world.host.resume(leased)).toEqual(leased);
  expect(world.row.work.owner).toBe(NODE);
});

test('a backoff doubles from the base to the cap, and jitter takes at most half of it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (attempt, baseMs, factor, chance) => {
        const capMs = baseMs * factor;
        const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
        const pause = backoffMs(attempt, baseMs, capMs, () => chance);
        expect(pause).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(pause).toBeLessThanOrEqual(full);
        expect(backoffMs(attempt + 1, baseMs, capMs, () => chance)).toBeGreaterThanOrEqual(pause);
      },
    ),
  );
});

test('while no peer can be reached, no attempt is counted and nothing is parked', async () => {
  const world = new LampWorld('lighting', { maxAttempts: 2 });
  world.onPerform = () => Promise.reject(new NobodyThere('no lamplighter'));
  for (let i = 0; i < 5; i++) await world.host.resume(world.lease(world.row.work.attempt));
  expect(world.changes.map(({ due }) => due)).toEqual(
    Array.from({ length: 5 }, () => expect.objectContaining({ at: 'pause', attempt: 0, lastError: 'no lamplighter' })),
  );
  // Those that were there and failed before are not forgotten over it.
  await world.host.resume(world.lease(1));
  expect(world.changes.at(-1)?.due).toMatchObject({ at: 'pause', attempt: 1 });
});
