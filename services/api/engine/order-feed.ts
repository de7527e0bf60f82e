/** The one source of a process for all streams of orders: reads the feed while anybody follows it, and fans it out. */
import type { Logger } from 'moleculer';
import type { FeedEntry, FeedPage, FeedPosition, FeedRequest } from '../../orders/orders.types.ts';

/** How often the feed is read. One statement each: two a second, however many follow. */
const READ_EVERY_MS = 500;
/** After a failure, for example while no node of orders is reachable. */
const RETRY_MS = 1_000;

/** Reads one page of the feed. */
export type ReadFeed = (request: FeedRequest) => Promise<FeedPage>;
/** Is given every entry, in order. */
export type Follower = (entry: FeedEntry) => void;

/** A negative number when `a` comes before `b`. */
export function comparePositions(a: FeedPosition, b: FeedPosition): number {
  // All of them are below 2^53 for centuries.
  return Number(a.txid) - Number(b.txid) || a.position - b.position || a.line - b.line;
}

export class OrderFeed {
  readonly #read: ReadFeed;
  readonly #logger: Pick<Logger, 'debug'>;
  readonly #followers = new Set<Follower>();
  #position: FeedPosition | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The reading that goes on; a new object for each, so that one that was ended while it waited does nothing more. */
  #reading: object | undefined;
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(read: ReadFeed, logger: Pick<Logger, 'debug'>) {
    this.#read = read;
    this.#logger = logger;
  }

  /**
   * Gives every entry that is committed from now on to `follower`. Resolves once that is sure; the result ends it.
   * @throws ServiceUnavailable and the like when the feed cannot be read now
   */
  async follow(follower: Follower): Promise<() => void> {
    this.#followers.add(follower);
    const end = (): void => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#stop();
    };
    try {
      if (this.#reading === undefined) this.#start();
      if (this.#position === undefined) await this.#begun();
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /** Where the source is. Known while anybody follows it. */
  get position(): FeedPosition | undefined {
    return this.#position;
  }

  /** Reads on from a position, up to the present. */
  async *since(from: FeedPosition): AsyncGenerator<FeedEntry> {
    for (let after = from; ; ) {
      const { entries, next } = await this.#read({ after });
      if (entries.length === 0) return;
      yield* entries;
      after = next;
    }
  }

  /** Ends the reading; followers get nothing more. */
  close(): void {
    this.#followers.clear();
    this.#stop();
  }

  #begun(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #start(): void {
    const reading = {};
    this.#reading = reading;
    void this.#look(reading);
  }

  #stop(): void {
    this.#reading = undefined;
    this.#position = undefined;
    clearTimeout(this.#timer);
  }

  async #look(reading: object): Promise<void> {
    let pauseMs = READ_EVERY_MS;
    try {
      const { entries, next, more } = await this.#read(this.#position ? { after: this.#position } : {});
      if (this.#reading !== reading) return;
      const began = this.#position === undefined;
      this.#position = next;
      if (began) for (const { resolve } of this.#waiting.splice(0)) resolve();
      for (const entry of entries) for (const follower of this.#followers) follower(entry);
      if (more) pauseMs = 0;
    } catch (error) {
      if (this.#reading !== reading) return;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      this.#logger.debug('The feed of orders cannot be read, retrying:', (error as Error).message);
      pauseMs = RETRY_MS;
    }
    if (this.#reading === reading) this.#timer = setTimeout(() => void this.#look(reading), pauseMs).unref();
  }
}
