/** A pause that can be cut short. */

/** Serves one waiter at a time. */
export class Pause {
  #wake: () => void = () => undefined;

  /** Resolves after `ms` milliseconds, or at the next `end`. */
  rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the current pause, if any. */
  end(): void {
    this.#wake();
  }
}
