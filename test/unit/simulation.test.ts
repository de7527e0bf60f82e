/** The simulator: many histories of faults end with balanced books, one seed is one history, planted bugs are found. */
import { expect, test } from '@jest/globals';
import { runHistory } from '../simulation/history.ts';
import type { Flaws } from '../simulation/profile.ts';

const SEEDS = 500;

test(`${SEEDS} histories of crashes, losses and doubles end with nothing lost, nothing twice and everything at rest`, async () => {
  const struck = new Set<string>();
  const wrong: string[] = [];
  let orders = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await runHistory(seed);
    orders += outcome.orders;
    for (const kind of Object.keys(outcome.struck)) struck.add(kind);
    // npm run simulate -- --seed N shows every step of it.
    for (const fault of outcome.faults) wrong.push(`seed ${seed}: ${fault}`);
  }
  expect(wrong).toEqual([]);
  expect(orders).toBeGreaterThan(SEEDS);
  const kinds = [
    'crash',
    'stop',
    'shutdown',
    'clockJump',
    'outage',
    'lostAnswer',
    'lateStatement',
    'failedAfterCommit',
  ];
  expect([...struck]).toEqual(expect.arrayContaining([...kinds, 'lostCall', 'lostReply', 'lateCall', 'doubledCall']));
});

test('a seed is one history: it takes the same steps every time', async () => {
  for (const seed of [3, 834]) {
    const first = await runHistory(seed, {}, true);
    expect((await runHistory(seed, {}, true)).trace).toEqual(first.trace);
    expect((await runHistory(seed)).digest).toBe(first.digest);
    expect(first.steps).toBeGreaterThan(50);
  }
});

const planted: [keyof Flaws, string][] = [
  ['ignoresVersions', 'changes are written whatever became of the row'],
  ['answersBeforeCommit', 'changes are acted upon before they are committed'],
  ['keepsKeyOfTakenId', 'a key stays when its order could not be placed'],
  ['forgetsReleases', 'a release leaves no tombstone'],
];

test.each(planted)('a planted bug is found: %s (%s)', async (flaw) => {
  let found: string[] = [];
  for (let seed = 1; seed <= SEEDS && found.length === 0; seed++)
    found = (await runHistory(seed, { [flaw]: true })).faults;
  expect(found).not.toEqual([]);
});
