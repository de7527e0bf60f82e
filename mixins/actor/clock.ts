/** The engine's source of time and randomness; a simulation substitutes its own. */
import { randomBytes } from './random.ts';

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** `count` random bytes, never returned twice. */
  randomBytes(count: number): Uint8Array;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` at the end of the current event loop turn. */
  soon(run: () => void): void;
}

/** The system clock and random generator. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  randomBytes,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};
