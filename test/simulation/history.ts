/** One history: a world, its nodes and clients, faults for a while, then peace until everything has come to rest. */
import { imbalances } from './books.ts';
import { Clients } from './clients.ts';
import { Nodes } from './nodes.ts';
import { FAULTS_END_MS, type Flaws, TERMS } from './profile.ts';
import { World } from './world.ts';

/** What a history came to. */
export interface Outcome {
  seed: number;
  /** What does not balance; empty when all is well. */
  faults: string[];
  orders: number;
  steps: number;
  /** Two runs with the same digest took the same steps. */
  digest: number;
  /** How often each kind of fault has struck. */
  struck: Readonly<Record<string, number>>;
  /** Every step, when asked for. */
  trace: readonly string[];
}

/** Long enough for every lease, pause and deadline that may be left, and for clocks that jumped back by a lot. */
const PEACE_MS = 20 * TERMS.ttlMs;
/** Requests of the operator, each for all that is parked. */
const OPERATOR_ROUNDS = 5;

/** Runs the history of a seed. The same seed and flaws give the same history. */
export async function runHistory(seed: number, flaws: Flaws = {}, traced = false): Promise<Outcome> {
  const world = new World(seed, flaws, traced);
  const nodes = new Nodes(world);
  const clients = new Clients(world, nodes);
  const { scheduler, tables } = world;
  if (world.profile.parcelsArrive) {
    for (let i = 0; i < 4; i++) {
      scheduler.after(world.chance.between(500, FAULTS_END_MS), 'a parcel', undefined, () => nodes.parcelArrives());
    }
  }
  let endAt = Number.POSITIVE_INFINITY;
  const faultsEnd = scheduler.now + FAULTS_END_MS;
  const settled = (): boolean =>
    !world.raging && clients.done && [...tables.rows.values()].every((row) => row.dueAt === null);
  const strike = (): void => {
    if (!world.raging) return;
    nodes.maybeStrike();
    world.maybeOutage();
  };
  scheduler.after(FAULTS_END_MS, 'peace', undefined, () => {
    world.heal();
    endAt = faultsEnd + PEACE_MS;
  });
  await scheduler.run(() => settled() || scheduler.now > endAt, strike);
  for (let round = 0; round < OPERATOR_ROUNDS; round++) {
    await scheduler.run(() => nodes.any() !== undefined, strike);
    clients.retryParked();
    await scheduler.run(() => settled() || scheduler.now > endAt, strike);
  }
  // Messages still in flight must not change anything any more.
  const quiet = scheduler.now + FAULTS_END_MS;
  await scheduler.run(() => scheduler.now > quiet, strike);
  return {
    seed,
    faults: imbalances(world, clients),
    orders: tables.rows.size,
    steps: scheduler.steps,
    digest: scheduler.digest,
    struck: world.struck,
    trace: scheduler.trace ?? [],
  };
}
