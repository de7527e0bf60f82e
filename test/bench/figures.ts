/** What a run of the benchmark has measured. */
import type { Cost } from './counters.ts';
import type { LoadResult } from './load/job.ts';
import type { Comparison } from './statistics.ts';

/** One turn of one contestant. */
export interface Turn {
  scenario: string;
  contestant: string;
  what: string;
  round: number;
  connections: number;
  /** Requests that arrived a second; null when each waited for the one before. */
  rate: number | null;
  load: LoadResult;
  /** How long it took after the last answer until nothing was owed. */
  restMs: number;
  /** What an order, or a read, cost from the first request until nothing was owed any more. */
  cost: Cost;
}

/** A figure of one contestant alone. */
export interface Fact {
  scenario: string;
  title: string;
  unit: string;
  value: number;
  rounds?: number[];
}

export interface Figures {
  comparisons: Comparison[];
  facts: Fact[];
  turns: Turn[];
  /** Connections of the baseline to PostgreSQL; null when it was not asked for. */
  baselinePool: number | null;
  /** Why the figures do not count; empty when they do. */
  invalid: string[];
}

/** Answers with success a second. */
export const perSecond = ({ load }: Turn): number => load.okInTime / load.seconds;
/** Milliseconds in which half, and 99 of 100, of the answers with success came. */
export const p50 = ({ load }: Turn): number => load.latency.ok?.p50 ?? Number.NaN;
export const p99 = ({ load }: Turn): number => load.latency.ok?.p99 ?? Number.NaN;
