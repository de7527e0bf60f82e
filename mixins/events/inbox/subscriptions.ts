/** The schema key `subscriptions`: what a service does about the events of others. */
import type { Service } from 'moleculer';
import type { DomainEvent, EventType } from '../../../machines/shared/domain-event.ts';

/** What a service does about one type of event; `Self` is the service. */
interface SubscriptionHandler<Self, Type extends EventType> {
  /**
   * Called until it succeeds, with growing pauses, while later events of the same key wait. It may be called again for
   * an event it has handled, after a crash, so it must bear repeats.
   */
  handler(this: Self, event: DomainEvent<Type>): Promise<void>;
  /** Says of an event, from its content alone, whether the handler is to see it. All are by default. */
  wants?(event: DomainEvent<Type>): boolean;
}

/** Handlers by event type. */
export type Subscriptions<Self = Service> = { readonly [Type in EventType]?: SubscriptionHandler<Self, Type> };
