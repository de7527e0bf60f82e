/** The stream of a mesh: NATS JetStream keeps events until they expire, and every consumer receives them. */
import type { Logger } from 'moleculer';
import { connect, ErrorCode, headers, type JetStreamPublishOptions, type NatsConnection } from 'nats';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { MeshSettings } from '../../mesh/mesh.settings.ts';
import { natsOptions } from '../../mesh/nats/nats-options.ts';
import { SEAL_HEADER, sealEvent } from './event-seal.ts';
import {
  type Consumer,
  EventRefused,
  type EventStream,
  type HandleEvent,
  StreamUnavailable,
  type Subscription,
} from './event-stream.ts';
import { failedFor, type JetStreamLink } from './jetstream-link.ts';
import { JetStreamSubscription } from './jetstream-subscription.ts';
import { ensureStream } from './stream-config.ts';
import { backoffMs } from '../../actor/backoff.ts';
import { Pause } from './pause.ts';

/** How long JetStream may take to answer. Short, because a dead leader never answers and its successor soon does. */
const ANSWER_TIMEOUT_MS = 1_500;
const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 500;
/** Subject shards per event type. One subject per key would make the server keep millions of subjects in memory. */
const SHARDS = 64;

export interface JetStreamOptions {
  /** How to reach NATS; with keys, events are sealed and accepted only with a valid seal. */
  mesh: MeshSettings;
  /** Isolates meshes that share a server. */
  namespace?: string;
  /** The name shown in the server's list of connections. */
  name?: string;
  logger: Logger;
  /** Called for each message that the named consumer rejects because of its seal. */
  refused?: ((consumer: string) => void) | undefined;
}

/**
 * One stream `WAYBILL` (`WAYBILL-<namespace>`), created or updated at every connect. Subjects are
 * `waybill.<type>.<shard>` (`waybill-<namespace>.…`), so `waybill.order.created.*` matches every `order.created`. A
 * message is the event as JSON, with the event's id as `Nats-Msg-Id`. With keys, every message has a seal over its bytes
 * in the header `Waybill-Seal` and in its id, and consumers accept no other. Connects in the background, and retries for
 * ever.
 */
export class JetStreamStream implements EventStream {
  readonly #options: JetStreamOptions;
  readonly #prefix: string;
  readonly #streamName: string;
  readonly #subscriptions = new Set<JetStreamSubscription>();
  #connection: NatsConnection | undefined;
  /** The ready connection, a new object after each reconnect; undefined while NATS or its JetStream is unavailable. */
  #link: JetStreamLink | undefined;
  #closed = false;
  #preparing: Promise<void> | undefined;
  #complaint: string | undefined;
  readonly #pause = new Pause();

  constructor(options: JetStreamOptions) {
    this.#options = options;
    const namespace = options.namespace?.replaceAll(/[^\w-]/g, '_');
    this.#prefix = namespace ? `waybill-${namespace}` : 'waybill';
    this.#streamName = this.#prefix.toUpperCase();
    this.#preparing = this.#prepare();
  }

  get reachable(): boolean {
    return this.#link !== undefined;
  }

  /** Unknown: subscribers may run in any process, so every event type must be published. */
  heard(): undefined {
    return undefined;
  }

  async publish(event: DomainEvent): Promise<void> {
    const link = this.#link;
    if (!link) throw new StreamUnavailable(this.#complaint ?? 'NATS is not connected yet');
    try {
      const message = Buffer.from(JSON.stringify(event));
      await link.js.publish(this.#subject(event), message, {
        ...this.#identity(event, message),
        timeout: ANSWER_TIMEOUT_MS,
        expect: { streamName: link.stream },
      });
    } catch (error) {
      const failure = error as Error;
      if (failedFor(failure, ErrorCode.MaxPayloadExceeded)) {
        throw new EventRefused(`larger than the NATS server's max_payload`, { cause: failure });
      }
      // Nothing listens on the subject: the stream was lost, or JetStream is not ready yet. Prepare it again.
      if (failedFor(failure, ErrorCode.NoResponders)) this.#lost(failure.message);
      throw new StreamUnavailable(failure.message, { cause: failure });
    }
  }

  subscribe(consumer: Consumer, handle: HandleEvent): Promise<Subscription> {
    const subscription = new JetStreamSubscription({
      consumer,
      handle,
      filter: this.#filter(consumer.types),
      link: () => this.#link,
      keys: this.#options.mesh.keys?.events,
      refused: this.#options.refused,
      logger: this.#options.logger,
      closed: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    return Promise.resolve(subscription);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pause.end();
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    this.#link = undefined;
    await this.#preparing;
    await this.#connection?.close();
  }

  /** The stream drops a second message with the same id. The seal in it keeps others from using up an event's id. */
  #identity(event: DomainEvent, message: Uint8Array): Partial<JetStreamPublishOptions> {
    const key = this.#options.mesh.keys?.events[0];
    if (key === undefined) return { msgID: event.id };
    const seal = sealEvent(key, message);
    const sealed = headers();
    sealed.set(SEAL_HEADER, seal);
    return { msgID: `${event.id}.${seal}`, headers: sealed };
  }

  #subject(event: DomainEvent): string {
    let hash = 0;
    for (let i = 0; i < event.key.length; i++) hash = (hash * 31 + event.key.charCodeAt(i)) >>> 0;
    return `${this.#prefix}.${event.type}.${hash % SHARDS}`;
  }

  /** One filter for all types, because servers before 2.10 accept no list. It may let other types through. */
  #filter(types: readonly string[]): string {
    if (types.length === 1) return `${this.#prefix}.${types[0]}.*`;
    const families = new Set(types.map((type) => type.split('.')[0]));
    return families.size === 1 ? `${this.#prefix}.${[...families][0]}.>` : `${this.#prefix}.>`;
  }

  #lost(reason: string): void {
    this.#link = undefined;
    this.#complain(reason);
    this.#preparing ??= this.#prepare();
  }

  /** Logs a problem once, not at every attempt. */
  #complain(reason: string): void {
    if (this.#complaint === reason || this.#closed) return;
    this.#complaint = reason;
    this.#options.logger.error(`Events wait in the outbox: ${reason}`);
  }

  async #prepare(): Promise<void> {
    for (let attempt = 1; !this.#closed; attempt++) {
      try {
        this.#connection ??= await this.#connect();
        // While the client reconnects, requests would only time out.
        const manager = await this.#connection.jetstreamManager({ timeout: ANSWER_TIMEOUT_MS });
        const { mesh, logger } = this.#options;
        const wanted = { name: this.#streamName, subjects: [`${this.#prefix}.>`], replicas: mesh.replicas };
        await ensureStream(this.#connection, manager, wanted, logger);
        const js = this.#connection.jetstream({ timeout: ANSWER_TIMEOUT_MS });
        this.#link = { stream: this.#streamName, js, manager };
        if (this.#complaint)
          this.#options.logger.info(`Events are published again to the JetStream stream ${this.#streamName}`);
        this.#complaint = undefined;
        break;
      } catch (error) {
        this.#complain(explain(error as Error));
        if (this.#connection?.isClosed()) this.#connection = undefined;
      }
      await this.#pause.rest(backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS));
    }
    this.#preparing = undefined;
  }

  async #connect(): Promise<NatsConnection> {
    const { mesh, name = 'waybill' } = this.#options;
    const connection = await connect(natsOptions(mesh, `${name} events`));
    void this.#watch(connection);
    return connection;
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      const type: string = status.type;
      if (type === 'disconnect') {
        this.#link = undefined;
        this.#complain('the connection to NATS is lost');
      } else if (type === 'reconnect') this.#lost('the connection to NATS is lost');
    }
    // The client has given up, for example because the server no longer accepts its password.
    if (!this.#closed) this.#lost('the connection to NATS is closed');
  }
}

function explain(error: Error): string {
  if (failedFor(error, ErrorCode.JetStreamNotEnabled)) {
    return 'the NATS server has no JetStream: start it with -js, or wait until its JetStream is ready';
  }
  if (failedFor(error, ErrorCode.ConnectionRefused)) return 'NATS cannot be reached';
  return `NATS: ${error.message}`;
}
