/** Gives a service its subscriptions: events of other services, each handled to success, in order per key. */
import type { Service, ServiceSchema } from 'moleculer';
import type { DomainEvent, EventType } from '../../../machines/shared/domain-event.ts';
import type { WithDatabase } from '../../database/database.mixin.ts';
import { Lease } from '../lease.ts';
import type { HandleEvent, Subscription } from '../stream/event-stream.ts';
import { Inbox } from './inbox.ts';
import { shareStream, type StreamShare } from '../stream/shared-stream.ts';
import type { Subscriptions } from './subscriptions.ts';

const PRUNE_MS = 60_000;

interface Subscribed extends WithDatabase {
  subscriptionsEnd?: () => Promise<void>;
}

/**
 * The mixin for a service with a key `subscriptions` and what `outboxTables` and `outboxTypes` make; it stands before
 * `databaseMixin`.
 * Events come after the service's own `started`, and no more once its own `stopped` begins. The consumer has the
 * service's name: of many processes one at a time is handed events, and nothing is lost while there is none.
 */
export function subscriptionsMixin(): Partial<ServiceSchema> {
  return {
    merged(schema: LifecycleSchema & { subscriptions?: Subscriptions }) {
      const { subscriptions } = schema;
      if (!subscriptions) return;
      // Appended to the service's own handlers: the last to start, and so the first to stop.
      const start: Lifecycle = async function started() {
        this.subscriptionsEnd = await begin(this, subscriptions);
      };
      schema.started = [schema.started ?? [], start].flat();
      schema.stopped = [schema.stopped ?? [], end].flat();
    },
  } as Partial<ServiceSchema>;
}

type Lifecycle = (this: Service & Subscribed) => Promise<void>;

async function end(this: Service & Subscribed): Promise<void> {
  await this.subscriptionsEnd?.();
}

/** A schema after its mixins were merged into it. */
interface LifecycleSchema {
  started?: Lifecycle | Lifecycle[];
  stopped?: Lifecycle | Lifecycle[];
}

// An event and its handler go together by their type: each is looked up with the type of the event as a parameter.

function wants<Type extends EventType>(subscriptions: Subscriptions, event: DomainEvent<Type>): boolean {
  const subscription = subscriptions[event.type];
  return subscription !== undefined && (subscription.wants?.(event) ?? true);
}

async function hand<Type extends EventType>(
  service: Service,
  subscriptions: Subscriptions,
  event: DomainEvent<Type>,
): Promise<void> {
  await subscriptions[event.type]?.handler.call(service, event);
}

async function begin(service: Service & Subscribed, subscriptions: Subscriptions): Promise<() => Promise<void>> {
  const { broker, database, logger, name } = service;
  const share: StreamShare = shareStream(broker);
  const able = (): boolean => share.stream.reachable && database.clock.isRight;
  const lease = new Lease(database, `consumer:${name}`, { holder: broker.nodeID, able });
  const inbox = new Inbox(database, name);
  const handle: HandleEvent = inbox.once((event) => hand(service, subscriptions, event));
  const types = Object.keys(subscriptions);
  const subscription: Subscription = await share.stream.subscribe({ name, types, lease }, async (event) => {
    if (wants(subscriptions, event)) await handle(event);
  });
  lease.start();
  const pruning = setInterval(() => {
    if (!lease.held) return;
    inbox
      .prune()
      .catch((error: Error) => logger.warn(`Old entries stay in ${database.schema}.inbox: ${error.message}`));
  }, PRUNE_MS).unref();
  return async () => {
    clearInterval(pruning);
    await subscription.close();
    await lease.stop();
    await share.release();
  };
}
