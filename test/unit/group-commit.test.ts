/** Group commit: one batch in flight, one filling; no item waits for a timer, and none fails because of another. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Overloaded, ServiceUnavailable } from '../../machines/shared/failure.ts';
import { GroupCommit, type GroupCommitOptions } from '../../mixins/actor/group-commit.ts';
import { type Latch, latch, settled } from '../support/latch.ts';

/** A writer that doubles numbers, one latch a batch. */
function gated(options: Partial<GroupCommitOptions> = {}) {
  const batches: number[][] = [];
  const gates: Latch[] = [];
  const group = new GroupCommit<number, number>(
    async (items) => {
      batches.push([...items]);
      const gate = latch();
      gates.push(gate);
      await gate.opened;
      return items.map((item) => item * 2);
    },
    { name: 'be written', ...options },
  );
  const openAll = async (): Promise<void> => {
    while (gates.length > 0) {
      for (const gate of gates.splice(0)) gate.open();
      await settled();
    }
  };
  return { group, batches, gates, openAll };
}

test('a single item is written at once', async () => {
  const { group, batches, openAll } = gated();
  const written = group.push(1);
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(batches).toEqual([[1]]);
  await openAll();
  expect(await written).toBe(2);
});

test('items of one event loop turn share a batch, those that arrive during a commit share the next', async () => {
  const { group, batches, gates, openAll } = gated();
  const written = [group.push(1), group.push(2)];
  await settled();
  written.push(group.push(3), group.push(4));
  await settled();
  written.push(group.push(5));
  expect(batches).toEqual([[1, 2]]);
  expect(group.waiting).toBe(3);
  gates.shift()?.open();
  await settled();
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  await openAll();
  expect(await Promise.all(written)).toEqual([2, 4, 6, 8, 10]);
});

test('a caller is answered only when its batch is committed', async () => {
  const { group, openAll } = gated();
  let answered = false;
  const written = group.push(1).then(() => {
    answered = true;
  });
  await settled();
  expect(answered).toBe(false);
  await openAll();
  await written;
  expect(answered).toBe(true);
});

test('a batch never holds more than its bound, and the rest follows in order', async () => {
  const { group, batches, openAll } = gated({ maxBatch: 2 });
  const written = [1, 2, 3, 4, 5].map((item) => group.push(item));
  await settled();
  await openAll();
  expect(await Promise.all(written)).toEqual([2, 4, 6, 8, 10]);
  expect(batches).toEqual([[1, 2], [3, 4], [5]]);
});

test('beyond the maximum of waiting items the next is refused at once, and there is room again afterwards', async () => {
  const { group, openAll } = gated({ maxWaiting: 2 });
  const first = group.push(1);
  await settled();
  const waiting = [group.push(2), group.push(3)];
  await expect(group.push(4)).rejects.toBeInstanceOf(Overloaded);
  await openAll();
  expect(await Promise.all([first, ...waiting])).toEqual([2, 4, 6]);
  const later = group.push(5);
  await settled();
  await openAll();
  expect(await later).toBe(10);
});

test('a poisoned item fails alone, with its own error', async () => {
  const tries: number[][] = [];
  const group = new GroupCommit<number, number>(
    (items) => {
      tries.push([...items]);
      if (items.includes(2)) return Promise.reject(new RangeError('two is poison'));
      return Promise.resolve(items);
    },
    { name: 'be written' },
  );
  const results = await Promise.allSettled([group.push(1), group.push(2), group.push(3)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(RangeError);
  expect(tries).toEqual([[1, 2, 3], [1], [2], [3]]);
});

test('an outage is tried again once as a whole, and succeeds when it was short', async () => {
  const tries: number[][] = [];
  const group = new GroupCommit<number, number>(
    (items) => {
      tries.push([...items]);
      return tries.length === 1 ? Promise.reject(new ServiceUnavailable('away')) : Promise.resolve(items);
    },
    { name: 'be written' },
  );
  expect(await Promise.all([group.push(1), group.push(2)])).toEqual([1, 2]);
  expect(tries).toEqual([
    [1, 2],
    [1, 2],
  ]);
});

test('an outage that lasts fails the whole batch after the second try, never item by item', async () => {
  const tries: number[][] = [];
  const group = new GroupCommit<number, number>(
    (items) => {
      tries.push([...items]);
      return Promise.reject(new ServiceUnavailable('away'));
    },
    { name: 'be written' },
  );
  const results = await Promise.allSettled([group.push(1), group.push(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(tries).toHaveLength(2);
});

test('drained resolves when nothing waits and nothing is in progress', async () => {
  const { group, openAll } = gated();
  await group.drained();
  const written = group.push(1);
  let drained = false;
  const done = group.drained().then(() => {
    drained = true;
  });
  await settled();
  expect(drained).toBe(false);
  await openAll();
  await Promise.all([written, done]);
});

test('however items come, each is written once, in order of arrival, and gets its own answer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      async (turns, maxBatch) => {
        const written: number[] = [];
        let underWay = 0;
        const group = new GroupCommit<number, number>(
          async (items) => {
            expect(++underWay).toBe(1);
            expect(items.length).toBeLessThanOrEqual(maxBatch);
            await new Promise<void>((resolve) => setImmediate(resolve));
            written.push(...items);
            underWay--;
            return items.map((item) => item * 2);
          },
          { name: 'be written', maxBatch },
        );
        const answers: Promise<number>[] = [];
        for (const [item, pause] of turns.entries()) {
          answers.push(group.push(item));
          for (let i = 0; i < pause; i++) await new Promise<void>((resolve) => setImmediate(resolve));
        }
        expect(await Promise.all(answers)).toEqual(turns.map((_, item) => item * 2));
        expect(written).toEqual(turns.map((_, item) => item));
      },
    ),
    { numRuns: 50 },
  );
});
