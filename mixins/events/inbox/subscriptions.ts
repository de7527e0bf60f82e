/** The schema key `subscriptions`: how a service handles the events of other services. */
import type { Service } from 'moleculer';
import type { DomainEvent, EventType } from '../../../machines/shared/domain-event.ts';

/** The handler of one event type; `Self` is the service. */
interface SubscriptionHandler<Self, Type extends EventType> {
  /**
   * Retried with backoff until it succeeds, while later events of the same key wait. After a crash it may be called again
   * for an event it has handled, so it must be idempotent.
   */
  handler(this: Self, event: DomainEvent<Type>): Promise<void>;
  /** Filters events by their content; without it the handler receives all of them. */
  wants?(event: DomainEvent<Type>): boolean;
}

/**
 * The schema key `catchUp`: brings the service up to date from the data of the services whose events it handles. Runs when
 * the stream has lost events, before the next one is delivered, and is retried until it succeeds; it must be idempotent.
 */
export type CatchUp<Self = Service> = (service: Self) => Promise<void>;

/** Handlers by event type. */
export type Subscriptions<Self = Service> = { readonly [Type in EventType]?: SubscriptionHandler<Self, Type> };
