/** Token buckets: each key has one that starts full and refills at a steady rate. */
import type { Rate } from '../gateway.settings.ts';

/** How many keys are remembered at most. */
const MAX_KEYS = 100_000;

/**
 * A token bucket for each key, stored as one number: the time at which the bucket is full again (GCRA). It needs no
 * timer, and no memory for keys whose bucket is full.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #now: () => number;
  /** Milliseconds until the bucket gains one request. */
  readonly #cost: number;
  // Used keys move to the young half; when that is full, the old half is dropped.
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  /** @param now a clock in milliseconds that never goes back */
  constructor(rate: Rate, { maxKeys = MAX_KEYS, now = () => performance.now() } = {}) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
    this.#now = now;
    this.#cost = rate.periodMs / rate.requests;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes one request from a key's bucket. Returns 0, or the milliseconds until one is available. */
  take(key: string): number {
    const now = this.#now();
    const before = this.#young.get(key) ?? this.#old.get(key) ?? 0;
    const fullAt = (before > now ? before : now) + this.#cost;
    const wait = fullAt - now - this.#rate.periodMs;
    // The tolerance absorbs rounding errors, which must not cost a full bucket its last request.
    const granted = wait <= this.#cost / 100;
    // A key that is used stays remembered, whether the request is granted or not.
    this.#remember(key, granted ? fullAt : before);
    return granted ? 0 : wait;
  }

  #remember(key: string, fullAt: number): void {
    if (this.#young.size >= this.#maxKeys / 2 && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, fullAt);
  }
}
