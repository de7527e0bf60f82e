/** Every scenario by its name. */
import type { Bench } from '../bench.ts';
import type { Options, ScenarioName } from '../options.ts';
import { mesh } from './mesh.ts';
import { alone, cost, hot, keyed, uniform } from './orders.ts';
import { overload } from './overload.ts';
import { read, size } from './reads.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';

export const RUNS: Record<ScenarioName, (bench: Bench) => Promise<void>> = {
  uniform,
  hot,
  keyed,
  alone,
  read,
  size,
  cost,
  overload,
  start,
  mesh,
  soak,
};

/** Turns of both contestants together in one round of a scenario; a start counts as three seconds. */
const TURNS: Record<ScenarioName, (options: Options) => number> = {
  uniform: () => 2,
  hot: () => 2,
  keyed: () => 2,
  alone: () => 2,
  read: () => 4,
  size: ({ orders }) => 6 * orders.length,
  cost: ({ levels }) => 2 * levels.length,
  overload: () => 6,
  start: () => 2,
  mesh: () => 2,
  soak: () => 1,
};
/** What a turn takes beside its load: a checkpoint, and the wait until nothing is owed. */
const BESIDE_SECONDS = 1;
const STARTS_SECONDS = 10;

/** About how long a run takes, in seconds. Generating orders by the million comes on top. */
export function estimateSeconds(options: Options): number {
  const { only, rounds, seconds, warmupSeconds, baselinePools } = options;
  const turns = only.reduce((sum, name) => sum + TURNS[name](options) * (name === 'soak' ? 1 : rounds), 0);
  const trials = baselinePools.length > 1 ? baselinePools.length * (seconds + warmupSeconds) : 0;
  return STARTS_SECONDS + 2 * warmupSeconds + trials + turns * (seconds + BESIDE_SECONDS);
}
