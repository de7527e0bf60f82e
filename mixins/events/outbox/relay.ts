/** The relay: one process per schema publishes the outbox's events to the stream, in order per key, and deletes them. */
import type { Logger } from 'moleculer';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Lease } from '../lease.ts';
import { EventRefused, type EventStream, StreamUnavailable } from '../stream/event-stream.ts';
import { backoffMs } from '../../actor/backoff.ts';
import { type AfterFailure, KeyedQueue } from '../stream/keyed-queue.ts';
import { type OutboxBacklog, eventsIn, type OutboxDatabase, type OutboxRow, OutboxRows } from './outbox-rows.ts';

const CONCURRENCY = 256;
const READ_AT_MOST = 100;
/** The maximum number of rows and events in memory; beyond it nothing more is read. */
const MAX_ROWS = 1_000;
const MAX_EVENTS = 20_000;
/** Under load, the pause between two reads, so that rows are read in batches. A lone row is read at once. */
const GATHER_MS = 50;
/** How often to poll for rows written by other nodes. */
const POLL_MS = 200;
const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 5_000;
const STREAM_RETRY_CAP_MS = 500;
const STOP_MS = 2_000;

export interface RelayOptions {
  database: OutboxDatabase;
  stream: EventStream;
  /** Elects the process that relays. The relay starts and stops it. */
  lease: Lease;
  logger: Logger;
}

interface Row {
  id: number;
  /** The number of events not yet acknowledged. */
  left: number;
  /** Why the row cannot be published; such a row is parked. */
  refused?: string;
}

interface Item {
  row: Row;
  event: DomainEvent;
}

/**
 * Reads take every row not yet in memory, never those after a remembered id: a lower id may become visible after a higher
 * one. A row stays in `#rows`, and is excluded from reads, until its deletion is committed. A failing event holds back only
 * its key and its row; a row that is not a list of events, or that the stream rejects, is parked.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #table: OutboxRows;
  readonly #rows = new Map<number, Row>();
  readonly #queue: KeyedQueue<Item>;
  #done: Row[] = [];
  #woken = false;
  #signal: () => void = () => undefined;
  #databaseFailures = 0;
  #streamFailures = 0;
  #stopBy: number | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#table = new OutboxRows(options.database);
    this.#queue = new KeyedQueue<Item>({
      concurrency: CONCURRENCY,
      work: ({ event }) => this.#publish(event),
      failed: (error, item, attempt) => this.#failed(error as Error, item, attempt),
      finished: ({ row }) => this.#finished(row),
    });
  }

  start(): void {
    this.#options.lease.start();
    this.#loop ??= this.#run();
  }

  /** Signals that a commit wrote events. Cheap: the rows of a burst are read together. */
  wake(): void {
    this.#woken = true;
    this.#signal();
  }

  /** The unpublished rows, including those in flight. Counts them in the database. */
  backlog(): Promise<OutboxBacklog> {
    return this.#table.backlog();
  }

  /** Publishes what it can within two seconds, then hands over to another node. */
  async stop(): Promise<void> {
    if (this.#stopBy !== undefined) return;
    this.#stopBy = performance.now() + STOP_MS;
    this.wake();
    await this.#loop;
    this.#queue.clear();
    await this.#exchange(0).catch(() => 0);
    await this.#options.lease.stop();
  }

  async #run(): Promise<void> {
    const { lease } = this.#options;
    let term: number | undefined;
    while (this.#stopBy === undefined || performance.now() < this.#stopBy) {
      if (!lease.held) {
        term = undefined;
        if (this.#stopBy !== undefined) return;
        await this.#rest(POLL_MS / 2);
        continue;
      }
      if (term !== lease.term) this.#begin();
      term = lease.term;
      this.#woken = false;
      const readAt = performance.now();
      let found: number;
      try {
        found = await this.#exchange(this.#room());
      } catch (error) {
        if (this.#stopBy !== undefined) return;
        if (++this.#databaseFailures === 1) this.#complain(error as Error);
        await this.#restUntilSignal(backoffMs(this.#databaseFailures, RETRY_BASE_MS, RETRY_CAP_MS));
        continue;
      }
      if (this.#databaseFailures > 0) this.#recovered();
      this.#databaseFailures = 0;
      if (found === READ_AT_MOST) continue;
      const restless = this.#woken || this.#done.length > 0;
      // While stopping, one empty read with nothing in flight is enough.
      if (this.#stopBy !== undefined && !restless && found === 0 && !this.#queue.active) return;
      if (!restless) await this.#restUntilSignal(this.#stopBy === undefined ? POLL_MS : GATHER_MS);
      await this.#rest(GATHER_MS - (performance.now() - readAt));
    }
  }

  /** Forgets all rows: another node may have published them, so a new leader reads everything again. */
  #begin(): void {
    this.#queue.clear();
    this.#rows.clear();
    this.#done = [];
  }

  #room(): number {
    return this.#queue.size < MAX_EVENTS ? Math.max(0, Math.min(READ_AT_MOST, MAX_ROWS - this.#rows.size)) : 0;
  }

  /** Deletes the published rows and takes new ones. Returns the number of new rows. */
  async #exchange(room: number): Promise<number> {
    await this.#park();
    const done = this.#done.splice(0);
    const heard = this.#options.stream.heard();
    let fresh: OutboxRow[];
    try {
      fresh = await this.#table.exchange(
        done.map((row) => row.id),
        [...this.#rows.keys()],
        room,
        heard,
      );
    } catch (error) {
      this.#done.push(...done);
      throw error;
    }
    for (const row of done) this.#rows.delete(row.id);
    for (const { id, events } of fresh) this.#take(id, eventsIn(events, heard));
    return fresh.length;
  }

  #take(id: number, events: readonly DomainEvent[] | undefined): void {
    const row: Row = { id, left: 0 };
    this.#rows.set(id, row);
    if (!events) {
      row.refused = 'it is not a list of events';
      this.#done.push(row);
      return;
    }
    row.left = events.length;
    if (row.left === 0) this.#done.push(row);
    for (const event of events) this.#queue.push(event.key, { row, event });
  }

  async #park(): Promise<void> {
    const refused = this.#done.flatMap(({ id, refused: reason }) => (reason ? [{ id, reason }] : []));
    if (refused.length === 0) return;
    const { database, logger } = this.#options;
    await this.#table.park(refused);
    this.#done = this.#done.filter((row) => !row.refused);
    for (const { id, reason } of refused) {
      this.#rows.delete(id);
      logger.error(
        `Row ${id} of ${database.schema}.outbox cannot be published and was moved to ${database.schema}.outbox_parked: ${reason}`,
      );
    }
  }

  async #publish(event: DomainEvent): Promise<void> {
    // A process that wakes up after a suspension must not publish: another relay may have taken over.
    if (!this.#options.lease.held) throw new StreamUnavailable('the lease has expired');
    await this.#options.stream.publish(event);
    if (this.#streamFailures > 0) this.#recovered();
    this.#streamFailures = 0;
  }

  #failed(error: Error, { row, event }: Item, attempt: number): AfterFailure {
    if (error instanceof EventRefused) {
      row.refused = `event ${event.id} is ${error.message}`;
      return 'give up';
    }
    if (error instanceof StreamUnavailable) {
      // Events in flight fail together and count as one failure: only the first one pauses the queue.
      if (!this.#queue.paused && this.#options.lease.held && ++this.#streamFailures === 1) this.#complain(error);
      return { retryMs: backoffMs(Math.max(1, this.#streamFailures), RETRY_BASE_MS, STREAM_RETRY_CAP_MS), all: true };
    }
    if (attempt === 1 || attempt === 10) {
      this.#options.logger[attempt === 1 ? 'warn' : 'error'](
        `Event ${event.id} failed (attempt ${attempt}) and holds back later events of ${event.key}: ${error.message}`,
      );
    }
    return { retryMs: backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS) };
  }

  #finished(row: Row): void {
    if (--row.left > 0 || this.#rows.get(row.id) !== row) return;
    this.#done.push(row);
    if (this.#done.length === 1) this.#signal();
  }

  #complain(error: Error): void {
    this.#options.logger.warn(`Events wait in ${this.#options.database.schema}.outbox: ${error.message}`);
  }

  #recovered(): void {
    this.#options.logger.info(`Events of ${this.#options.database.schema}.outbox are published again`);
  }

  /** Waits until `wake`, the completion of a row, or about `ms`. */
  #restUntilSignal(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Jitter keeps the relays of several schemas from polling in lockstep.
      const timer = setTimeout(resolve, ms * (0.75 + Math.random() / 2));
      this.#signal = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #rest(ms: number): Promise<void> {
    return ms < 1 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
  }
}
