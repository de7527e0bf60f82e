/** Time and chance as the engine meets them: the system's, unless a simulation gives its own. */
import { randomBytes } from './random.ts';

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** `count` random bytes that are handed out once. */
  randomBytes(count: number): Uint8Array;
  /** Runs something once after so many milliseconds; the answer calls it off. */
  after(ms: number, run: () => void): () => void;
  /** Runs something at the end of the event loop's turn. */
  soon(run: () => void): void;
}

/** The real ones. */
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
