/** Subscribes a service to the events of other services; each is retried until handled, in order per key. */
import type { Service, ServiceSchema } from 'moleculer';
import type { DomainEvent, EventType } from '../../../machines/shared/domain-event.ts';
import type { WithDatabase } from '../../database/database.mixin.ts';
import { Lease } from '../lease.ts';
import type { Consumer, HandleEvent, Subscription } from '../stream/event-stream.ts';
import { Inbox } from './inbox.ts';
import { shareStream, type StreamShare } from '../stream/shared-stream.ts';
import type { CatchUp, Subscriptions } from './subscriptions.ts';

const PRUNE_MS = 60_000;

interface Subscribed extends WithDatabase {
  subscriptionsEnd?: () => Promise<void>;
}

/**
 * The mixin for a service with the schema key `subscriptions`, whose migrations include `outboxTables` and `outboxTypes`.
 * List it before `databaseMixin`. Events arrive after the service's own `started` and end before its own `stopped`. The
 * consumer has the service's name: one process at a time receives events, and none are lost while no process runs.
 */
export function subscriptionsMixin(): Partial<ServiceSchema> {
  return {
    merged(schema: LifecycleSchema & { subscriptions?: Subscriptions; catchUp?: CatchUp }) {
      const { subscriptions, catchUp } = schema;
      if (!subscriptions) return;
      // Appended to the service's own handlers: the last to start and the first to stop.
      const start: Lifecycle = async function started() {
        this.subscriptionsEnd = await begin(this, subscriptions, catchUp);
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

/** A schema after its mixins are merged into it. */
interface LifecycleSchema {
  started?: Lifecycle | Lifecycle[];
  stopped?: Lifecycle | Lifecycle[];
}

// The type parameter ties an event to its handler.

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

async function begin(
  service: Service & Subscribed,
  subscriptions: Subscriptions,
  catchUp: CatchUp | undefined,
): Promise<() => Promise<void>> {
  const { broker, database, logger, name } = service;
  const share: StreamShare = shareStream(broker);
  const able = (): boolean => share.stream.reachable && database.clock.isRight;
  const lease = new Lease(database, `consumer:${name}`, { holder: broker.nodeID, able });
  const inbox = new Inbox(database, name);
  const handle: HandleEvent = inbox.once((event) => hand(service, subscriptions, event));
  const types = Object.keys(subscriptions);
  const consumer: Consumer = {
    name,
    types,
    lease,
    catchUp: async () => await catchUp?.(service),
  };
  const subscription: Subscription = await share.stream.subscribe(consumer, async (event) => {
    if (wants(subscriptions, event)) await handle(event);
  });
  lease.start();
  const pruning = setInterval(() => {
    if (!lease.held) return;
    inbox
      .prune()
      .catch((error: Error) => logger.warn(`Cannot prune ${database.schema}.inbox, will retry: ${error.message}`));
  }, PRUNE_MS).unref();
  return async () => {
    clearInterval(pruning);
    await subscription.close();
    await lease.stop();
    await share.release();
  };
}
