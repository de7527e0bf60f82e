/** Load shedding: refuses requests unread while the engine is overloaded, so that refusals cost it almost nothing. */
import { Overloaded } from '../../../machines/shared/failure.ts';

/** How long after a refusal all requests are refused. By then the engine has finished some of its work. */
const SHED_MS = 20;
const TELL_EVERY_MS = 1_000;

/** Created once: creating a failure thousands of times a second is expensive. */
const FULL = new Overloaded('The engine is at capacity. Nothing was written: retry later');

/** Whether one gateway sheds load at the moment. */
export class Shedder {
  readonly #tell: (line: string) => void;
  #until = 0;
  #refused = 0;

  /** `tell` gets at most one line a second, however many requests are refused. */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** The failure for the next request, for a moment after the engine has refused one; undefined: the request may pass. */
  refusal(): Overloaded | undefined {
    return performance.now() < this.#until ? FULL : undefined;
  }

  /** Records that a request was refused because of overload, by the engine or by this shedder. */
  refused(failure: Overloaded): void {
    if (failure !== FULL) this.#until = performance.now() + SHED_MS;
    if (++this.#refused > 1) return;
    setTimeout(() => {
      this.#tell(`Overloaded: ${this.#refused} requests were refused in the last second`);
      this.#refused = 0;
    }, TELL_EVERY_MS).unref();
  }
}
