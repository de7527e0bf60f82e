/** The stream of a single-node mesh: events go from the outbox straight to the subscribers in this process. */
import type { ServiceBroker } from 'moleculer';
import { type DomainEvent, EVENT_TYPES } from '../../../machines/shared/domain-event.ts';
import {
  type Consumer,
  type EventStream,
  type HandleEvent,
  StreamUnavailable,
  type Subscription,
} from './event-stream.ts';

interface Subscriber {
  consumer: Consumer;
  /** Undefined once closed: publishing its events must then fail, so that they stay in the outbox. */
  handle: HandleEvent | undefined;
  running: Set<Promise<void>>;
}

/**
 * The outbox provides durability: `publish` resolves only after every subscriber's handler has, so an event leaves the
 * outbox once it is handled. The publisher provides ordering and retries. Plain Moleculer services that listen with
 * `events:` receive the event too, once and without a delivery guarantee.
 */
export class LocalStream implements EventStream {
  readonly #broker: ServiceBroker;
  readonly #subscribers: Subscriber[] = [];
  /** Resolves when every service has started; until then a subscriber may not have registered yet. */
  #started: Promise<void> | undefined;
  #letGo: () => void = () => undefined;
  #closed = false;

  constructor(broker: ServiceBroker) {
    this.#broker = broker;
    if (broker.started) return;
    this.#started = new Promise((resolve) => {
      this.#letGo = resolve;
      broker.localBus.once('$broker.started', () => {
        this.#started = undefined;
        resolve();
      });
    });
  }

  get reachable(): boolean {
    return !this.#closed;
  }

  async publish(event: DomainEvent): Promise<void> {
    if (this.#started) await this.#started;
    if (this.#closed) throw new StreamUnavailable('the process is stopping');
    const due: Promise<void>[] = [];
    for (const subscriber of this.#subscribers) {
      if (subscriber.consumer.types.includes(event.type)) due.push(this.#hand(subscriber, event));
    }
    if (due.length > 0) {
      const failed = (await Promise.allSettled(due)).find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    }
    if (this.#broker.hasEventListener(event.type)) void this.#broker.broadcastLocal(event.type, event);
  }

  heard(): readonly string[] | undefined {
    // A subscriber may not have registered yet.
    if (this.#started) return undefined;
    const consumed = this.#subscribers.flatMap(({ consumer }) => consumer.types);
    return [...consumed, ...EVENT_TYPES.filter((type) => this.#broker.hasEventListener(type))];
  }

  subscribe(consumer: Consumer, handle: HandleEvent): Promise<Subscription> {
    const subscriber: Subscriber = { consumer, handle, running: new Set() };
    const former = this.#subscribers.findIndex((other) => !other.handle && other.consumer.name === consumer.name);
    this.#subscribers.splice(former === -1 ? this.#subscribers.length : former, 1, subscriber);
    return Promise.resolve({
      close: async () => {
        subscriber.handle = undefined;
        await Promise.allSettled(subscriber.running);
      },
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#letGo();
    return Promise.resolve();
  }

  async #hand(subscriber: Subscriber, event: DomainEvent): Promise<void> {
    if (!subscriber.handle) throw new Error(`consumer ${subscriber.consumer.name} has stopped`);
    const running = subscriber.handle(event);
    subscriber.running.add(running);
    try {
      await running;
    } finally {
      subscriber.running.delete(running);
    }
  }
}
