/** A bound on how many of a kind are under way at once; the others wait for their turn, but not for ever. */
import { ServiceUnavailable } from '../../machines/shared/failure.ts';

/** Work in a few slots, in order of arrival. */
export class Slots {
  #free: number;
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(slots: number, patienceMs: number) {
    this.#free = slots;
    this.#patienceMs = patienceMs;
  }

  /** Runs `work` once a slot is free. @throws ServiceUnavailable when that takes too long: it was not begun. */
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
        reject(new ServiceUnavailable('The database is busy with other searches. Repeat the request in a moment'));
      }, this.#patienceMs);
      this.#waiting.add(begin);
    });
  }
}
