/** A pause that can be cut short. */

/** For one sleeper at a time. */
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

  /** Ends the present pause, if there is one. */
  end(): void {
    this.#wake();
  }
}
