/** Work in lanes: strictly in order within a key, side by side between keys, with patience for what fails. */

/** What to do about a failed item: again after `retryMs`, this lane only or (`all`) the whole queue; or give it up. */
export type AfterFailure = { retryMs: number; all?: boolean } | 'give up';

export interface KeyedQueueOptions<Item> {
  /** Items worked on at once. */
  concurrency: number;
  work: (item: Item) => Promise<void>;
  /** Judges a failure. `attempt` counts this item's failures in a row, from 1. */
  failed: (error: unknown, item: Item, attempt: number) => AfterFailure;
  /** Called after an item is done or given up; also for one that was under way when the queue was cleared. */
  finished?: (item: Item) => void;
}

interface Lane<Item> {
  key: string;
  items: Item[];
  attempt: number;
  /** Running lanes are in nobody's list; resting ones have a timer; the others wait in `#ready`. */
  timer?: NodeJS.Timeout | undefined;
  running: boolean;
  /** The queue was cleared while the first item was under way: should it fail, it is forgotten too. */
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

  /** Items not finished yet, those under way and those waiting for another attempt included. */
  get size(): number {
    return this.#size;
  }

  /** True when something is under way or could be at once: not while all that is left rests after a failure. */
  get active(): boolean {
    return this.#running > 0 || (this.#ready.size > 0 && !this.#pause);
  }

  /** True while the whole queue rests after a failure. */
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

  /** Forgets all that is not under way. What is under way keeps its place in its lane. */
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

  /** Resolves when nothing is under way. */
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
      // The failure says nothing about this item, so it does not count against it.
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
