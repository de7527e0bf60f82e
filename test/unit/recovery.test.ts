/** Recovery: due work is taken up tick by tick, never more than allowed, and an outage stops nothing for good. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { Recovery, type RecoveryPolicy, type RecoveryPorts } from '../../mixins/actor/recovery.ts';
import { latch } from '../support/latch.ts';

const POLICY: RecoveryPolicy = { ratePerSecond: 100, maxConcurrent: 1_000, tickMs: 100 };

afterEach(() => {
  jest.useRealTimers();
});

interface World extends RecoveryPorts<number> {
  claim: (limit: number) => Promise<readonly number[]>;
  resume: (claimed: number) => Promise<void>;
  due: number[];
  asked: number[];
  resumed: number[];
  failures: unknown[];
}

function worldOf(due: number, changes: Partial<RecoveryPorts<number>> = {}): World {
  const world: World = {
    due: Array.from({ length: due }, (_, i) => i),
    asked: [],
    resumed: [],
    failures: [],
    claim(limit) {
      world.asked.push(limit);
      return Promise.resolve(world.due.splice(0, limit));
    },
    resume(claimed) {
      world.resumed.push(claimed);
      return Promise.resolve();
    },
    onFailure: (error) => void world.failures.push(error),
    ...changes,
  };
  return world;
}

/** Starts it on a clock that the test moves. */
function start(world: World, policy: Partial<RecoveryPolicy> = {}): Recovery<number> {
  jest.useFakeTimers();
  const recovery = new Recovery(world, { ...POLICY, ...policy });
  recovery.start();
  return recovery;
}

test('a backlog is taken up in order, at no more than the rate', async () => {
  const world = worldOf(1_000);
  const recovery = start(world);
  await jest.advanceTimersByTimeAsync(1_000);
  // Chance moves a tick by a quarter either way.
  expect(world.asked.length).toBeGreaterThanOrEqual(8);
  expect(world.asked.length).toBeLessThanOrEqual(13);
  expect(new Set(world.asked)).toEqual(new Set([10]));
  expect(world.resumed).toEqual(Array.from({ length: world.asked.length * 10 }, (_, i) => i));
  await recovery.stop();
});

test('no more than allowed is in progress at a time, and whatever ends makes room', async () => {
  const gates = Array.from({ length: 5 }, () => latch());
  const running: number[] = [];
  const world = worldOf(5, {
    resume: async (claimed) => {
      running.push(claimed);
      await gates[claimed]?.opened;
    },
  });
  const recovery = start(world, { maxConcurrent: 2 });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(running).toEqual([0, 1]);
  gates[1]?.open();
  await jest.advanceTimersByTimeAsync(200);
  expect(running).toEqual([0, 1, 2]);
  for (const gate of gates) gate.open();
  await jest.advanceTimersByTimeAsync(500);
  expect(running).toEqual([0, 1, 2, 3, 4]);
  await recovery.stop();
});

test('a failed claim is logged and tried again at the next tick', async () => {
  const outage = new Error('the database is away');
  let away = true;
  const world = worldOf(3);
  const { claim } = world;
  world.claim = (limit) => (away ? Promise.reject(outage) : claim(limit));
  const recovery = start(world);
  await jest.advanceTimersByTimeAsync(300);
  expect(world.failures).toContain(outage);
  expect(world.resumed).toEqual([]);
  away = false;
  await jest.advanceTimersByTimeAsync(200);
  expect(world.resumed).toEqual([0, 1, 2]);
  await recovery.stop();
});

test('an order that cannot be resumed does not block the others', async () => {
  const world = worldOf(3);
  const { resume } = world;
  world.resume = (claimed) => (claimed === 1 ? Promise.reject(new Error('broken')) : resume(claimed));
  const recovery = start(world);
  await jest.advanceTimersByTimeAsync(200);
  expect(world.resumed).toEqual([0, 2]);
  expect(world.failures).toHaveLength(1);
  await recovery.stop();
});

test('after stop nothing more is claimed, and stop waits for what was claimed', async () => {
  const gate = latch();
  const world = worldOf(1, { resume: () => gate.opened });
  const recovery = start(world);
  await jest.advanceTimersByTimeAsync(200);
  const asked = world.asked.length;
  let stopped = false;
  const stopping = recovery.stop().then(() => {
    stopped = true;
  });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(stopped).toBe(false);
  expect(world.asked).toHaveLength(asked);
  gate.open();
  await stopping;
  expect(jest.getTimerCount()).toBe(0);
});
