/** The one live line, which says how a round is getting on. */

const EVERY_MS = 1_000;
const EVERY_MS_IN_A_FILE = 10_000;

export class Progress {
  readonly #terminal = process.stderr.isTTY;
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  /** Shows the result of `line` repeatedly until `stop`. A file gets a new line from time to time. */
  start(line: () => string): void {
    this.stop();
    const show = (): void => this.#show(line());
    this.#timer = setInterval(show, this.#terminal ? EVERY_MS : EVERY_MS_IN_A_FILE);
  }

  /** Shows what is being done now. */
  say(what: string): void {
    this.#show(what);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#terminal && this.#last !== '') process.stderr.write('\r\u001b[K');
    this.#last = '';
  }

  #show(line: string): void {
    if (line === this.#last) return;
    this.#last = line;
    process.stderr.write(
      this.#terminal ? `\r\u001b[K${line.slice(0, (process.stderr.columns ?? 120) - 1)}` : `${line}\n`,
    );
  }
}
