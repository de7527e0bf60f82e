/** The streams that a gateway has open: how many each caller has, and their end. */
import type { ServerResponse } from 'node:http';
import { TooManyRequests } from '../gateway.failures.ts';

/** A caller that has its streams open is told to try again after as many seconds. */
const RETRY_AFTER_S = 5;

export class OpenStreams {
  readonly #perCaller: number;
  readonly #counts = new Map<string, number>();
  readonly #changed: (open: number) => void;
  #open = 0;

  /** At most `perCaller` streams for each caller; `changed` is told how many there are. */
  constructor(perCaller: number, changed: (open: number) => void) {
    this.#perCaller = perCaller;
    this.#changed = changed;
  }

  /** Counts a stream of a caller until its answer ends. @throws TooManyRequests when the caller has too many */
  enter(caller: string, response: ServerResponse): void {
    const count = this.#counts.get(caller) ?? 0;
    if (count >= this.#perCaller) {
      throw new TooManyRequests(
        `At most ${this.#perCaller} streams may be open at a time: close one, then retry in ${RETRY_AFTER_S} s`,
        { retryAfterSeconds: RETRY_AFTER_S },
      );
    }
    this.#counts.set(caller, count + 1);
    this.#changed(++this.#open);
    response.once('close', () => {
      const left = (this.#counts.get(caller) ?? 1) - 1;
      if (left > 0) this.#counts.set(caller, left);
      else this.#counts.delete(caller);
      this.#changed(--this.#open);
    });
  }
}
