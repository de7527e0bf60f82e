/** A bulkhead: limits how much work of a kind runs at once; the rest waits for its turn, for a limited time. */
import { ServiceUnavailable } from '../../machines/shared/failure.ts';

/** A limited number of slots, granted in order of arrival. */
export class Slots {
  #free: number;
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(slots: number, patienceMs: number) {
    this.#free = slots;
    this.#patienceMs = patienceMs;
  }

  /** Runs `work` once a slot is free. @throws ServiceUnavailable when that takes too long; `work` has not begun then */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#free++;
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(begin);
        reject(new ServiceUnavailable('Too many searches are running: retry in a moment'));
      }, this.#patienceMs);
      this.#waiting.add(begin);
    });
  }
}
