/** What a node takes for the time: the database's, without wavering, and never one that is far off. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type ClockSample, DatabaseClock } from '../../mixins/database/database-clock.ts';

const AT = Date.UTC(2026, 5, 1);

let sample: ClockSample;
let lines: string[];
let clock: DatabaseClock;
const say = (line: string) => void lines.push(line);
const watch = () => clock.watch({ of: 'the database', logger: { info: say, warn: say } });
beforeEach(() => {
  jest.useFakeTimers({ now: AT });
  lines = [];
  clock = new DatabaseClock(() => Promise.resolve(sample));
});
afterEach(() => {
  clock.stop();
  jest.useRealTimers();
});

const offBy = (aheadMs: number): number => Date.now() - clock.now() - aheadMs;

test('the time is that of the database, and does not waver with the round trip', async () => {
  sample = { aheadMs: 3_000, uncertainMs: 10 };
  await watch();
  expect(offBy(3_000)).toBe(0);
  sample = { aheadMs: 3_008, uncertainMs: 20 };
  await jest.advanceTimersByTimeAsync(60_000);
  expect(offBy(3_000)).toBe(0);
  sample = { aheadMs: -500, uncertainMs: 20 };
  await jest.advanceTimersByTimeAsync(60_000);
  expect(offBy(-500)).toBe(0);
  expect(lines).toEqual([]);
});

test('a clock that was set is compared within two seconds', async () => {
  sample = { aheadMs: 0, uncertainMs: 1 };
  await watch();
  sample = { aheadMs: 2_000, uncertainMs: 1 };
  jest.setSystemTime(Date.now() + 2_000);
  await jest.advanceTimersByTimeAsync(2_000);
  expect(offBy(2_000)).toBe(0);
});

test('a wrong clock is logged once, not corrected further, and compared every five seconds', async () => {
  sample = { aheadMs: -20_000, uncertainMs: 5 };
  await watch();
  await jest.advanceTimersByTimeAsync(30_000);
  expect(clock.isRight).toBe(false);
  expect(offBy(0)).toBe(0);
  expect(lines).toEqual([expect.stringContaining('20.0 s behind the database')]);
  sample = { aheadMs: 40, uncertainMs: 5 };
  await jest.advanceTimersByTimeAsync(6_000);
  expect(clock.isRight).toBe(true);
  expect(lines).toHaveLength(2);
});

test('a slow answer does not make a clock wrong', async () => {
  sample = { aheadMs: 12_000, uncertainMs: 2_500 };
  await watch();
  expect(clock.isRight).toBe(true);
});

test('an outage of the database says nothing about the clock', async () => {
  clock = new DatabaseClock(() => Promise.reject(new Error('away')));
  await watch();
  expect([clock.isRight, offBy(0)]).toEqual([true, 0]);
});
