/** The stream of a mesh of one: events go from the outbox straight to the subscribers in this process. */
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
  /** Undefined once it has closed: it is still owed its events, so publishing those must fail. */
  handle: HandleEvent | undefined;
  running: Set<Promise<void>>;
}

/**
 * Durability is the outbox's: `publish` resolves only after every subscriber's handler did, so that an event leaves its
 * outbox when it has been handled. Order and repeats are the publisher's, too. Plain Moleculer services that listen
 * under `events:` are told as well, once and without a guarantee.
 */
export class LocalStream implements EventStream {
  readonly #broker: ServiceBroker;
  readonly #subscribers: Subscriber[] = [];
  /** Resolves when every service has started: before, a subscriber may be missing only because it is not there yet. */
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
    // A subscriber may be missing only because it is not there yet.
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
    if (!subscriber.handle) throw new Error(`Its consumer ${subscriber.consumer.name} has stopped`);
    const running = subscriber.handle(event);
    subscriber.running.add(running);
    try {
      await running;
    } finally {
      subscriber.running.delete(running);
    }
  }
}
