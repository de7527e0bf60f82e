/** A work queue: sequential within a key, concurrent across keys, with retries. */

/** What to do with a failed item: pause its lane, or with `all` the whole queue, for `retryMs` and retry; or drop it. */
export type AfterFailure = { retryMs: number; all?: boolean } | 'give up';

export interface KeyedQueueOptions<Item> {
  /** The maximum number of items in progress. */
  concurrency: number;
  work: (item: Item) => Promise<void>;
  /** Decides what to do after a failure. `attempt` counts the consecutive failures of the item, from 1. */
  failed: (error: unknown, item: Item, attempt: number) => AfterFailure;
  /** Called after an item is done or dropped, including one that was in progress when the queue was cleared. */
  finished?: (item: Item) => void;
}

interface Lane<Item> {
  key: string;
  items: Item[];
  attempt: number;
  /** Set while the lane waits to retry. A lane that is neither running nor waiting is in `#ready`. */
  timer?: NodeJS.Timeout | undefined;
  running: boolean;
  /** The queue was cleared while the first item was in progress: if it fails, it is dropped. */
  forgotten: boolean;
}

export class KeyedQueue<Item> {
  readonly #options: KeyedQueueOptions<Item>;
  readonly #lanes = new Map<string, Lane<Item>>();
  readonly #ready = new Set<Lane<Item>>();
  #running = 0;
  #size = 0;
  #pause: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(options: KeyedQueueOptions<Item>) {
    this.#options = options;
  }

  /** The number of unfinished items, including those in progress or waiting to be retried. */
  get size(): number {
    return this.#size;
  }

  /** True when an item is in progress or ready; false while all remaining items wait to be retried. */
  get active(): boolean {
    return this.#running > 0 || (this.#ready.size > 0 && !this.#pause);
  }

  /** True while the whole queue is paused after a failure. */
  get paused(): boolean {
    return this.#pause !== undefined;
  }

  push(key: string, item: Item): void {
    this.#size++;
    const lane = this.#lanes.get(key);
    if (lane) {
      lane.items.push(item);
      return;
    }
    const fresh: Lane<Item> = { key, items: [item], attempt: 0, running: false, forgotten: false };
    this.#lanes.set(key, fresh);
    this.#ready.add(fresh);
    this.#pump();
  }

  /** Drops all items that are not in progress. An item in progress keeps its place in its lane. */
  clear(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#ready.clear();
    this.#size = 0;
    for (const lane of this.#lanes.values()) {
      clearTimeout(lane.timer);
      if (lane.running) {
        lane.items.length = 1;
        lane.forgotten = true;
        this.#size++;
      } else this.#lanes.delete(lane.key);
    }
  }

  /** Resolves when no item is in progress. */
  settled(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (this.#running < this.#options.concurrency && this.#ready.size > 0 && !this.#pause) {
      const [lane] = this.#ready as Set<Lane<Item>> & Iterable<Lane<Item>>;
      this.#ready.delete(lane as Lane<Item>);
      void this.#run(lane as Lane<Item>);
    }
  }

  async #run(lane: Lane<Item>): Promise<void> {
    this.#running++;
    lane.running = true;
    while (lane.items.length > 0 && !this.#pause) {
      const item = lane.items[0] as Item;
      try {
        await this.#options.work(item);
      } catch (error) {
        const next = lane.forgotten ? 'give up' : this.#options.failed(error, item, ++lane.attempt);
        if (next !== 'give up') {
          this.#rest(lane, next);
          break;
        }
      }
      lane.attempt = 0;
      lane.forgotten = false;
      lane.items.shift();
      this.#size--;
      this.#options.finished?.(item);
    }
    lane.running = false;
    this.#running--;
    if (lane.items.length === 0) this.#lanes.delete(lane.key);
    else if (!lane.timer) this.#ready.add(lane);
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#pump();
  }

  #rest(lane: Lane<Item>, { retryMs, all }: Exclude<AfterFailure, 'give up'>): void {
    if (all) {
      // The failure is not specific to this item, so it does not count as its attempt.
      lane.attempt = 0;
      this.#pause ??= setTimeout(() => {
        this.#pause = undefined;
        this.#pump();
      }, retryMs).unref();
      return;
    }
    lane.timer = setTimeout(() => {
      lane.timer = undefined;
      this.#ready.add(lane);
      this.#pump();
    }, retryMs).unref();
  }
}
