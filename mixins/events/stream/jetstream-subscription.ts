/** One durable consumer of the JetStream stream: pulled by one process at a time, in order per key. */
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'moleculer';
import { AckPolicy, type ConsumerConfig, DeliverPolicy, type JsMsg, nanos } from 'nats';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import { type Consumer, type HandleEvent, isDomainEvent, type Subscription } from './event-stream.ts';
import { consumerStart } from './consumer-start.ts';
import { isSealedEvent, SEAL_HEADER } from './event-seal.ts';
import { isNotFound, type JetStreamLink } from './jetstream-link.ts';
import { backoffMs } from '../../actor/backoff.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { Pause } from './pause.ts';

const CONCURRENCY = 64;
/** Events taken and not yet handled, at most. */
const MAX_OUTSTANDING = 2_000;
const FETCH_AT_MOST = 500;
const FETCH_EXPIRES_MS = 2_000;
/** After this the server repeats an event whose acknowledgement it has not seen, for it may have been lost. */
const ACK_WAIT_MS = 30_000;
const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 30_000;
const IDLE_MS = 100;
const CLOSE_MS = 2_000;
const WARN_EVERY_MS = 60_000;

interface Entry {
  event: DomainEvent;
  seq: number;
  /** The latest delivery of it: the one to acknowledge. */
  message: JsMsg;
}

export interface JetStreamSubscriptionOptions {
  consumer: Consumer;
  handle: HandleEvent;
  filter: string;
  link: () => JetStreamLink | undefined;
  logger: Logger;
  /** With keys only messages sealed by one of them are events. */
  keys?: readonly KeyObject[] | undefined;
  refused?: ((consumer: string) => void) | undefined;
  closed: () => void;
}

/**
 * A failing event is not handed back to the server, whose repeats are overtaken by later events: it is kept here, and
 * its key with it, and tried again with growing pauses. For the same reason whoever becomes the one puller (after a
 * takeover or a reconnect) makes the durable consumer anew from its acknowledged floor: all that is owed comes again,
 * in the order of the stream, and the inbox skips what was handled.
 */
export class JetStreamSubscription implements Subscription {
  readonly #options: JetStreamSubscriptionOptions;
  readonly #outstanding = new Map<number, Entry>();
  readonly #queue: KeyedQueue<Entry>;
  readonly #loop: Promise<void>;
  #closing = false;
  #complaint: string | undefined;
  #warnedAt = 0;
  #stopFetch: () => void = () => undefined;
  readonly #pause = new Pause();

  constructor(options: JetStreamSubscriptionOptions) {
    this.#options = options;
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
    // A handler that hangs is left behind: its event is owed still.
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
        await this.#consume(link);
        attempt = 0;
        this.#complaint = undefined;
      } catch (error) {
        attempt++;
        const reason = (error as Error).message;
        if (this.#options.link() === link && this.#complaint !== reason) {
          this.#complaint = reason;
          this.#options.logger.warn(`Consumer ${this.#name} cannot pull events and tries again: ${reason}`);
        }
        await this.#pause.rest(backoffMs(attempt, RETRY_BASE_MS, 5_000));
      }
    }
  }

  /** Pulls until the lease, the connection or this subscription ends. */
  async #consume(link: JetStreamLink): Promise<void> {
    const { lease } = this.#options.consumer;
    const { term } = lease;
    const ours = (): boolean => !this.#closing && lease.held && lease.term === term && this.#options.link() === link;
    // All that is not acknowledged is about to come again.
    this.#queue.clear();
    this.#outstanding.clear();
    // What is still under way may have its handler run twice at once otherwise.
    await this.#queue.settled();
    if (!ours()) return;
    await this.#renew(link);
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
      } finally {
        clearInterval(watch);
      }
    }
    this.#queue.clear();
  }

  /** Makes the durable consumer anew where its acknowledgements end. If this dies halfway the next one begins at the start. */
  async #renew(link: JetStreamLink): Promise<void> {
    const { manager, stream } = link;
    let from = 1;
    try {
      const start = await consumerStart(link, await manager.consumers.info(stream, this.#name));
      if (start.lost) {
        this.#options.logger.error(
          `The stream ${stream} lost events that consumer ${this.#name} may not have handled: it starts again at ${start.from}`,
        );
      }
      from = start.from;
      await manager.consumers.delete(stream, this.#name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const config: Partial<ConsumerConfig> = {
      durable_name: this.#name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: MAX_OUTSTANDING,
      max_deliver: -1,
      filter_subject: this.#options.filter,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
    };
    await manager.consumers.add(stream, config);
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
        `Message ${message.seq} of the stream is no event and is given up by consumer ${this.#name} (subject ${message.subject})`,
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

  /** Given up at once: handed out again it would still be nobody's. */
  #refuse(message: JsMsg): void {
    const { logger, refused } = this.#options;
    message.term();
    refused?.(this.#name);
    if (Date.now() - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = Date.now();
    logger.warn(
      `Message ${message.seq} of the stream does not carry the seal of this mesh and is given up by consumer ${this.#name}`,
    );
  }

  async #handle(entry: Entry): Promise<void> {
    // A process that was stopped and wakes up still has events at hand that are another's by now.
    if (!this.#options.consumer.lease.held) throw new Error('The lease has ended');
    await this.#options.handle(entry.event);
    entry.message.ack();
  }

  #failed(error: Error, event: DomainEvent, attempt: number): { retryMs: number } {
    if (attempt === 1 && this.#options.consumer.lease.held) {
      this.#options.logger.warn(
        `Event ${event.id} could not be handled by ${this.#name} and is tried again, its later ones wait: ${error.message}`,
      );
    } else if (attempt === 10) {
      this.#options.logger.error(`Event ${event.id} failed ${attempt} times at ${this.#name}: ${error.message}`);
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
