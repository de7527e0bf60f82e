/** A durable JetStream consumer: one process at a time pulls its events and handles them in order per key. */
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'moleculer';
import type { JsMsg } from 'nats';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import { type Consumer, type HandleEvent, isDomainEvent, type Subscription } from './event-stream.ts';
import { DurableConsumer } from './durable-consumer.ts';
import { isSealedEvent, SEAL_HEADER } from './event-seal.ts';
import type { JetStreamLink } from './jetstream-link.ts';
import { backoffMs } from '../../actor/backoff.ts';
import { about } from '../../process/log-format.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { Pause } from './pause.ts';

const CONCURRENCY = 64;
/** The maximum number of events fetched and not yet handled. */
const MAX_OUTSTANDING = 2_000;
const FETCH_AT_MOST = 500;
const FETCH_EXPIRES_MS = 2_000;
const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 30_000;
/** The longest pause before events are pulled again: after an election the stream is back within seconds. */
const PULL_RETRY_CAP_MS = 500;
const IDLE_MS = 100;
const CLOSE_MS = 2_000;
const WARN_EVERY_MS = 60_000;

interface Entry {
  event: DomainEvent;
  seq: number;
  /** The latest delivery, which is the one to acknowledge. */
  message: JsMsg;
}

export interface JetStreamSubscriptionOptions {
  consumer: Consumer;
  handle: HandleEvent;
  filter: string;
  link: () => JetStreamLink | undefined;
  logger: Logger;
  /** With keys, only messages sealed with one of them are accepted. */
  keys?: readonly KeyObject[] | undefined;
  refused?: ((consumer: string) => void) | undefined;
  closed: () => void;
}

/**
 * A failing event is retried here with backoff, holding back its key, instead of being returned to the server, whose
 * redeliveries come after later events. For the same reason, a process that starts to pull (after a takeover or a
 * reconnect) while events are unacknowledged recreates the durable consumer from its acknowledged floor: all of them arrive
 * again in stream order, and the inbox skips those already handled.
 */
export class JetStreamSubscription implements Subscription {
  readonly #options: JetStreamSubscriptionOptions;
  readonly #outstanding = new Map<number, Entry>();
  readonly #queue: KeyedQueue<Entry>;
  readonly #loop: Promise<void>;
  #closing = false;
  #complaint: string | undefined;
  #warnedAt = 0;
  readonly #durable: DurableConsumer;
  #stopFetch: () => void = () => undefined;
  readonly #pause = new Pause();

  constructor(options: JetStreamSubscriptionOptions) {
    this.#options = options;
    this.#durable = new DurableConsumer(options, MAX_OUTSTANDING);
    this.#queue = new KeyedQueue<Entry>({
      concurrency: CONCURRENCY,
      work: (entry) => this.#handle(entry),
      failed: (error, { event }, attempt) => this.#failed(error as Error, event, attempt),
      finished: (entry) => {
        if (this.#outstanding.get(entry.seq) === entry) this.#outstanding.delete(entry.seq);
        if (this.#outstanding.size === MAX_OUTSTANDING - FETCH_AT_MOST) this.#pause.end();
      },
    });
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#stopFetch();
    this.#pause.end();
    this.#queue.clear();
    // A hanging handler is abandoned: its event is not acknowledged and will be redelivered.
    await Promise.race([
      Promise.all([this.#loop, this.#queue.settled()]),
      new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref()),
    ]);
    this.#options.closed();
  }

  get #name(): string {
    return this.#options.consumer.name;
  }

  async #run(): Promise<void> {
    let attempt = 0;
    while (!this.#closing) {
      const link = this.#options.link();
      if (!link || !this.#options.consumer.lease.held) {
        await this.#pause.rest(IDLE_MS);
        continue;
      }
      try {
        await this.#consume(link, () => {
          attempt = 0;
          this.#complaint = undefined;
        });
      } catch (error) {
        attempt++;
        const reason = (error as Error).message;
        if (this.#options.link() === link && this.#complaint !== reason) {
          this.#complaint = reason;
          this.#options.logger.warn(`Consumer ${this.#name} cannot pull events, retrying: ${reason}`);
        }
        await this.#pause.rest(backoffMs(attempt, RETRY_BASE_MS, PULL_RETRY_CAP_MS));
      }
    }
  }

  /** Pulls until the lease, the connection or this subscription ends. Calls `begun` when the server has answered. */
  async #consume(link: JetStreamLink, begun: () => void): Promise<void> {
    const { lease } = this.#options.consumer;
    const { term } = lease;
    const ours = (): boolean => !this.#closing && lease.held && lease.term === term && this.#options.link() === link;
    // All unacknowledged events will be redelivered.
    this.#queue.clear();
    this.#outstanding.clear();
    // Otherwise an event in progress could have two handlers running at once.
    await this.#queue.settled();
    if (!ours()) return;
    await this.#durable.renew(link, ours);
    if (!ours()) return;
    const consumer = await link.js.consumers.get(link.stream, this.#name);
    while (ours()) {
      const room = MAX_OUTSTANDING - this.#outstanding.size;
      if (room <= 0) {
        await this.#pause.rest(IDLE_MS);
        continue;
      }
      const messages = await consumer.fetch({ max_messages: Math.min(room, FETCH_AT_MOST), expires: FETCH_EXPIRES_MS });
      this.#stopFetch = () => messages.stop();
      const watch = setInterval(() => {
        if (!ours()) messages.stop();
      }, IDLE_MS);
      try {
        for await (const message of messages) if (ours()) this.#take(message);
        // Not earlier: what can be renewed and not pulled would be complained of again and again.
        begun();
      } finally {
        clearInterval(watch);
      }
    }
    this.#queue.clear();
  }

  #take(message: JsMsg): void {
    const known = this.#outstanding.get(message.seq);
    if (known) {
      known.message = message;
      return;
    }
    if (!this.#isBelieved(message)) {
      this.#refuse(message);
      return;
    }
    const event = parse(message);
    if (!event) {
      this.#options.logger.error(
        `Consumer ${this.#name} discards message ${message.seq} of the stream: it is not an event (subject ${message.subject})`,
      );
      message.term();
    } else if (this.#options.consumer.types.includes(event.type)) {
      const entry: Entry = { event, seq: message.seq, message };
      this.#outstanding.set(entry.seq, entry);
      this.#queue.push(event.key, entry);
    } else message.ack();
  }

  #isBelieved(message: JsMsg): boolean {
    const { keys } = this.#options;
    return !keys || isSealedEvent(keys, message.data, message.headers?.get(SEAL_HEADER) ?? '');
  }

  /** Discards a message for good, because a redelivery would be rejected again. */
  #refuse(message: JsMsg): void {
    const { logger, refused } = this.#options;
    message.term();
    refused?.(this.#name);
    if (Date.now() - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = Date.now();
    logger.warn(
      `Consumer ${this.#name} discards message ${message.seq} of the stream: it lacks a valid seal of this mesh`,
    );
  }

  async #handle(entry: Entry): Promise<void> {
    // A process that wakes up after a suspension may still hold events that another process now handles.
    if (!this.#options.consumer.lease.held) throw new Error('the lease has expired');
    await this.#options.handle(entry.event);
    entry.message.ack();
  }

  #failed(error: Error, event: DomainEvent, attempt: number): { retryMs: number } {
    const fields = about({ event_id: event.id, event_key: event.key, attempt });
    if (attempt === 1 && this.#options.consumer.lease.held) {
      this.#options.logger.warn(
        `Consumer ${this.#name} failed to handle event ${event.id}; retrying while later events of ${event.key} wait: ${error.message}`,
        fields,
      );
    } else if (attempt === 10) {
      this.#options.logger.error(
        `Consumer ${this.#name} failed to handle event ${event.id} ${attempt} times: ${error.message}`,
        fields,
      );
    }
    return { retryMs: backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS) };
  }
}

function parse(message: JsMsg): DomainEvent | undefined {
  try {
    const event: unknown = message.json();
    return isDomainEvent(event) ? event : undefined;
  } catch {
    return undefined;
  }
}
