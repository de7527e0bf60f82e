/** The log of outages: two lines each, however many statements and connections feel it. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type OutageWatch, outageLog } from '../../mixins/database/outage-log.ts';

let lines: string[];
let watch: OutageWatch;
beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  const say = (line: string) => void lines.push(line);
  watch = outageLog({ info: say, warn: say }, { failing: 'It fails', working: 'It works' }, (error) =>
    error === 'told elsewhere' ? undefined : String(error),
  );
});
afterEach(() => {
  jest.useRealTimers();
});

test('an outage is one line at its start with the first cause, and one at its end with its duration', () => {
  watch.worked();
  watch.failed('57P01', 'h1:5432');
  for (let statement = 0; statement < 100; statement++) watch.failed('ECONNREFUSED');
  jest.advanceTimersByTime(12_300);
  watch.failed('ECONNREFUSED');
  expect(lines).toEqual(['It fails: h1:5432 57P01']);
  watch.worked();
  jest.advanceTimersByTime(1_000);
  watch.worked();
  expect(lines).toEqual(['It fails: h1:5432 57P01', 'It works, after 12.3 s']);
  watch.failed('53300');
  expect(lines.slice(2)).toEqual(['It fails: 53300']);
});

test('connections that fail and work at the same time are one outage', () => {
  for (let second = 0; second < 30; second++) {
    watch.failed('ECONNRESET');
    watch.worked();
    jest.advanceTimersByTime(900);
    watch.worked();
  }
  expect(lines).toEqual(['It fails: ECONNRESET']);
});

test('a failure that is reported elsewhere is not logged again', () => {
  watch.failed('told elsewhere');
  jest.advanceTimersByTime(2_000);
  watch.worked();
  expect(lines).toEqual([]);
});
