/** What the commit of a change writes beside the order's row: the answer kept for its key, and the events it tells. */
import { attentionRequired } from '../../../machines/order/order.events.ts';
import type { Decision, Order } from '../../../machines/order/order.ts';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Change } from '../../../mixins/actor/actor.ts';
import type { OrderChange } from '../store/order.port.ts';
import { answerToKeep } from './idempotency.ts';

const NONE: readonly DomainEvent[] = [];

/** Completes a change that an actor has decided. `at` is now, in Unix milliseconds. */
export function orderChange({ memory, decision, due }: Change<Order, Decision>, at: number): OrderChange {
  const events = decision?.announcements ?? NONE;
  const order = decision?.order ?? memory.state;
  return {
    memory,
    decision,
    due,
    answer: decision ? answerToKeep(memory.state, order) : null,
    events: due.at === 'parked' ? [...events, attentionRequired(order, memory.version + 1, due, at)] : events,
  };
}
