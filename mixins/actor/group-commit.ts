/** Group commit: concurrent callers of one stage share its transactions, one batch in flight and one filling. */
import { Overloaded, ServiceUnavailable } from '../../machines/shared/failure.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** Carries out a batch in one transaction. Answers one result an item: the first for the first item, and so on. */
export type WriteBatch<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[]>;

export interface GroupCommitOptions {
  /** What becomes of an item, for messages: `be written`. */
  name: string;
  /** Items a batch holds at most. */
  maxBatch?: number;
  /** Items that may wait at most; past it `push` refuses with Overloaded. */
  maxWaiting?: number;
  /** How the end of the event loop's turn is awaited; the system's by default. */
  clock?: Pick<Clock, 'soon'>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * While a batch is under way the next one gathers, then goes as one. A lone item waits for nobody: it leaves at the
 * end of the event loop's turn in which it came. There is no timer: batches grow with the load by themselves.
 *
 * A batch that fails is tried again item by item, so that a poisoned item fails alone; one that fails because the
 * database is away (ServiceUnavailable) is tried again once as a whole. The writer must therefore be idempotent: after
 * a lost connection the first try may have been committed.
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

  /** How many items wait for the next batch. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Hands an item to the next batch; resolves once that batch is committed.
   * @throws Overloaded when too many wait: nothing was written, and the caller may repeat.
   */
  push(item: Item): Promise<Result> {
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(
        new Overloaded(`Too many requests are waiting to ${this.#name}. Repeat this one in a moment`),
      );
    }
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) {
        this.#busy = true;
        this.#clock.soon(() => void this.#run());
      }
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
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
      // Item by item, every one of them would wait for the same outage.
      if (error instanceof ServiceUnavailable && tries < 2) await this.#commit(batch, tries + 1);
      else if (error instanceof ServiceUnavailable || batch.length === 1) for (const { reject } of batch) reject(error);
      else for (const waiting of batch) await this.#commit([waiting]);
    }
  }
}
