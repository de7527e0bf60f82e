/** Buckets of requests: each key has one that starts full and fills up again at a steady pace. */
import type { Rate } from '../gateway.settings.ts';

/** Keys that are remembered at most. */
const MAX_KEYS = 100_000;

/**
 * A token bucket for each key, as one number: the time at which the bucket would be full again (GCRA). There is no
 * timer, and a key whose bucket is full need not be remembered.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #now: () => number;
  /** Milliseconds in which one request is earned. */
  readonly #cost: number;
  // Keys that are used move to the young half; when that is full, the old half is forgotten.
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

  /** Takes one request out of a key's bucket. Answers 0, or the milliseconds until there is one to take. */
  take(key: string): number {
    const now = this.#now();
    const before = this.#young.get(key) ?? this.#old.get(key) ?? 0;
    const fullAt = (before > now ? before : now) + this.#cost;
    const wait = fullAt - now - this.#rate.periodMs;
    // Sums of fractions are a little off: that must not cost the last request of a full bucket.
    const granted = wait <= this.#cost / 100;
    // Whoever goes on asking is not forgotten, granted or not.
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
