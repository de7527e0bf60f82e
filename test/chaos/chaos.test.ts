/** The chaos harness, played short: a round passes, and one with a planted fault does not. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { startScript } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { Result } from './report.ts';
import { Random } from '../support/random.ts';
import { FAULTS } from './faults/index.ts';
import { scheduleOf } from './schedule.ts';

const SHORT = '--nodes 1 --shoppers 8 --seconds 6 --pace 700 --lease 2500 --call-timeout 800';
const WITHIN_MS = 55_000;

interface Played {
  code: number | null;
  output: string;
  result: Result;
}

async function play(options: string): Promise<Played> {
  const folder = await temporaryFolder();
  const json = join(folder, 'result.json');
  const child = startScript('test/chaos/main.ts', [...`${SHORT} ${options}`.split(' '), '--json', json]);
  // A harness that is ended properly takes its servers with it.
  AbortSignal.timeout(WITHIN_MS).addEventListener('abort', () => child.signal('SIGTERM'));
  const { code } = await child.exited;
  const output = [...child.stdout, ...child.stderr].join('\n');
  const result = JSON.parse(await readFile(json, 'utf8').catch(() => 'null')) as Result | null;
  if (!result) throw new Error(`the harness came to no result:\n${output}`);
  return { code, output, result };
}

let sound: Played;
let planted: Played;
beforeAll(async () => {
  [sound, planted] = await Promise.all([
    play('--seed 6 --rest 30'),
    play('--seed 3 --rest 5 --plant early-answer --faults postgres-restart'),
  ]);
}, 60_000);

test('a round of faults ends with nothing lost, nothing doubled and everything at rest', () => {
  expect(sound.result.failures).toEqual([]);
  expect([sound.code, sound.result.violations]).toEqual([0, []]);
  const struck = Object.values(sound.result.faults).reduce((sum, count) => sum + count, 0);
  expect(struck).toBeGreaterThanOrEqual(3);
  expect(sound.result.orders.total).toBeGreaterThan(0);
  expect(sound.output).toContain('seed 6');
});

test('with effects and answers before the commit planted, the checker finds orders that are lost', () => {
  expect(planted.code).toBe(1);
  const broken = new Set(planted.result.violations.map(({ promise }) => promise));
  expect([...broken]).toContain('every answer that names an order has its order');
});

test('the same seed yields the same faults at the same times, another seed different ones', () => {
  const terms = { seconds: 60, paceMs: 1_000, shape: { nodesEach: 2, leaseMs: 5_000, callTimeoutMs: 1_500 } };
  const told = (seed: number): string[] =>
    scheduleOf(seed, FAULTS, terms).map(({ atMs, kind, strike }) => `${atMs} ${kind} ${strike.detail}`);
  expect(told(1)).toEqual(told(1));
  expect(told(2)).not.toEqual(told(1));
  expect(new Set(told(1)).size).toBeGreaterThan(40);
});

function draw(name: string): number[] {
  const random = new Random(1, name);
  return Array.from({ length: 5 }, () => random.between(0, 1_000_000));
}

test('random streams with different names differ', () => {
  expect(draw('faults')).toEqual(draw('faults'));
  expect(draw('shopper 1')).not.toEqual(draw('shopper 2'));
});
