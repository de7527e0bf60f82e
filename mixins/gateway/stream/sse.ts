/** A stream of server-sent events (text/event-stream) to one reader. */
import { PassThrough } from 'node:stream';

/** How often a comment is sent, so that neither side takes a silent connection for a dead one. */
const COMMENT_EVERY_MS = 10_000;
/** How much may wait for a slow reader, in bytes; beyond it the reader is cut off, and resumes where it was. */
export const MAX_WAITING_BYTES = 1_048_576;

/** One message. Names and ids contain no line breaks; `data` becomes one line of JSON. */
export interface SseMessage {
  id: string | number;
  event: string;
  data: unknown;
}

/** The headers of such an answer. */
export const SSE_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Proxies must pass messages on as they come.
  'X-Accel-Buffering': 'no',
};

/** The body of the answer; the gateway sends what is written to it. */
export class SseStream extends PassThrough {
  readonly #timer: NodeJS.Timeout;
  readonly #cutOff: () => void;

  /** Calls `cutOff` when the reader is too slow. */
  constructor(cutOff: () => void = () => undefined) {
    super({ highWaterMark: MAX_WAITING_BYTES });
    this.#cutOff = cutOff;
    this.#timer = setInterval(() => this.#send(':\n\n'), COMMENT_EVERY_MS).unref();
    this.once('close', () => clearInterval(this.#timer));
  }

  /** Whether the reader is still there. */
  get open(): boolean {
    return !this.destroyed && !this.writableEnded;
  }

  send({ id, event, data }: SseMessage): void {
    this.#send(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Tells the reader from where to resume, without a message. */
  mark(id: string): void {
    this.#send(`id: ${id}\n\n`);
  }

  #send(text: string): void {
    if (!this.open) return;
    this.write(text);
    if (this.readableLength + this.writableLength <= MAX_WAITING_BYTES) return;
    this.#cutOff();
    this.destroy();
  }
}
