/** The profile of a history: its size, and which faults strike how often, drawn for every seed. */
import type { StoreFlaws } from '../support/order-tables.ts';
import type { Random } from '../support/random.ts';

/** Bugs to plant, to see whether the books notice. */
export interface Flaws extends StoreFlaws {
  /** Inventory keeps no tombstone for a release that overtook its reserve. */
  forgetsReleases?: boolean;
}

/** Probabilities are per message, statement or step. Times are virtual milliseconds. */
export interface Profile {
  nodes: number;
  clients: number;
  /** Units of each product in the beginning. */
  stock: number;
  maxAttempts: number;
  /** All nodes draw the same slot for their ids, and their clocks stand still for a while. */
  sameSlot: boolean;
  parcelsArrive: boolean;
  lostCall: number;
  lostReply: number;
  doubledCall: number;
  lateCall: number;
  failedAfterCommit: number;
  lostAnswer: number;
  lateStatement: number;
  crash: number;
  stop: number;
  shutdown: number;
  clockJump: number;
  outage: number;
}

export const FAULTS_END_MS = 12_000;
export const TERMS = { leaseMs: 4_000, ttlMs: 15_000, callTimeoutMs: 1_500, retryBaseMs: 300, retryCapMs: 3_000 };

/** Each kind of fault is absent from about half of the histories, so that none always hides another. */
export function profileOf(chance: Random): Profile {
  const rate = (...rates: number[]): number => (chance.happens(0.5) ? chance.pick(rates) : 0);
  return {
    nodes: chance.between(1, 3),
    clients: chance.between(2, 6),
    stock: chance.pick([2, 5, 100]),
    maxAttempts: chance.pick([3, 50]),
    sameSlot: chance.happens(0.2),
    parcelsArrive: chance.happens(0.3),
    lostCall: rate(0.05, 0.3),
    lostReply: rate(0.05, 0.3),
    doubledCall: rate(0.1, 0.5),
    lateCall: rate(0.1, 0.4),
    failedAfterCommit: rate(0.05, 0.3),
    lostAnswer: rate(0.02, 0.1, 0.3),
    lateStatement: rate(0.02, 0.1),
    crash: rate(0.005, 0.02),
    stop: rate(0.005, 0.02),
    shutdown: rate(0.005),
    clockJump: rate(0.005, 0.02),
    outage: rate(0.005, 0.02),
  };
}
