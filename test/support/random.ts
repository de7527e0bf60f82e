/** Chance from a seed: the same seed and name draw the same numbers everywhere. */

/** A stream of numbers (mulberry32), good enough to choose faults and loads with. */
export class Random {
  #state: number;

  /** Streams of one seed with different names do not disturb each other. */
  constructor(seed: number, name = '') {
    let hash = (seed >>> 0) ^ 0x9e3779b9;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x85ebca6b) ^ (hash >>> 13);
    this.#state = hash >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** True with a probability. One that is zero draws nothing. */
  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(things: readonly T[]): T {
    if (things.length === 0) throw new RangeError('nothing to pick from');
    return things[this.between(0, things.length - 1)] as T;
  }

  /** One of the entries, each as likely as its weight says. */
  weighted<T extends { weight: number }>(entries: readonly T[]): T {
    let left = this.next() * entries.reduce((sum, entry) => sum + entry.weight, 0);
    for (const entry of entries) {
      left -= entry.weight;
      if (left < 0) return entry;
    }
    return entries.at(-1) as T;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.between(0, 255));
  }
}
