/** Turns requests away unread while the engine is full, so that refusing them does not take the time it needs for the others. */
import { Overloaded } from '../../../machines/shared/failure.ts';

/** How long after a refusal nothing more is let in. A full engine has finished some of its work by then. */
const SHED_MS = 20;
const TELL_EVERY_MS = 1_000;

/** What is answered, and why: made once, as a failure is expensive to make thousands of times a second. */
const FULL = new Overloaded('The engine is at capacity. Nothing was written: retry later');

/** One gateway's knowledge that the engine is full. */
export class Shedder {
  readonly #tell: (line: string) => void;
  #until = 0;
  #refused = 0;

  /** `tell` gets a line a second at most, however many are refused. */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Why the next request is refused; undefined while it is let in. For a moment after a refusal nothing is. */
  refusal(): Overloaded | undefined {
    return performance.now() < this.#until ? FULL : undefined;
  }

  /** A request was refused because the engine is full: by the engine itself, or here. */
  refused(failure: Overloaded): void {
    if (failure !== FULL) this.#until = performance.now() + SHED_MS;
    if (++this.#refused > 1) return;
    setTimeout(() => {
      this.#tell(`${this.#refused} requests were refused in the last second: the engine is full`);
      this.#refused = 0;
    }, TELL_EVERY_MS).unref();
  }
}
