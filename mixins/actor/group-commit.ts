/** Group commit: concurrent callers share transactions, with one batch in flight and one filling. */
import { Overloaded, ServiceUnavailable } from '../../machines/shared/failure.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** Writes a batch in one transaction. Returns one result per item, at the same index. */
export type WriteBatch<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[]>;

export interface GroupCommitOptions {
  /** What waiting requests are about to do, as a verb phrase for messages. */
  name: string;
  /** The maximum number of items in a batch. */
  maxBatch?: number;
  /** The maximum number of waiting items; beyond it `push` rejects with Overloaded. */
  maxWaiting?: number;
  /** Schedules the first batch at the end of the event loop turn; the system clock by default. */
  clock?: Pick<Clock, 'soon'>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * While one batch is in flight the next one fills up. A lone item is not delayed: it is sent at the end of the event
 * loop turn in which it arrived. There is no timer; batches grow with the load.
 *
 * A failed batch is retried item by item, so that a poison item fails alone. A batch that fails because the database is
 * unavailable (ServiceUnavailable) is retried once as a whole. The writer must therefore be idempotent: after a lost
 * connection the first attempt may have been committed.
 */
export class GroupCommit<Item, Result> {
  readonly #write: WriteBatch<Item, Result>;
  readonly #name: string;
  readonly #maxBatch: number;
  readonly #maxWaiting: number;
  readonly #clock: Pick<Clock, 'soon'>;
  #waiting: Waiting<Item, Result>[] = [];
  #busy = false;
  #idle: (() => void)[] = [];

  constructor(write: WriteBatch<Item, Result>, options: GroupCommitOptions) {
    this.#write = write;
    this.#name = options.name;
    this.#maxBatch = options.maxBatch ?? 256;
    this.#maxWaiting = options.maxWaiting ?? 4_096;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** The number of items waiting for the next batch. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Adds an item to the next batch; resolves once that batch is committed.
   * @throws Overloaded when too many items wait: nothing was written, and the caller may retry.
   */
  push(item: Item): Promise<Result> {
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new Overloaded(`Too many requests are waiting to ${this.#name}. Retry in a moment`));
    }
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) {
        this.#busy = true;
        this.#clock.soon(() => void this.#run());
      }
    });
  }

  /** Resolves when no item is waiting or in flight. */
  drained(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.length <= this.#maxBatch ? this.#waiting : this.#waiting.slice(0, this.#maxBatch);
      this.#waiting = batch === this.#waiting ? [] : this.#waiting.slice(this.#maxBatch);
      await this.#commit(batch);
    }
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commit(batch: Waiting<Item, Result>[], tries = 1): Promise<void> {
    try {
      const results = await this.#write(batch.map((waiting) => waiting.item));
      for (let i = 0; i < batch.length; i++) (batch[i] as Waiting<Item, Result>).resolve(results[i] as Result);
    } catch (error) {
      // An outage affects the whole batch; retrying item by item would make each one wait for it.
      if (error instanceof ServiceUnavailable && tries < 2) await this.#commit(batch, tries + 1);
      else if (error instanceof ServiceUnavailable || batch.length === 1) for (const { reject } of batch) reject(error);
      else for (const waiting of batch) await this.#commit([waiting]);
    }
  }
}
