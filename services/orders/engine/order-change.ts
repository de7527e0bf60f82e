/** What the commit of a change writes beside the order's row: the answer kept for its key, and the events. */
import { attentionRequired } from '../../../machines/order/order.events.ts';
import type { Decision, Order } from '../../../machines/order/order.ts';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Change } from '../../../mixins/actor/actor.ts';
import type { OrderChange } from '../store/order.port.ts';
import { answerToKeep } from './idempotency.ts';

const NONE: readonly DomainEvent[] = [];

/** Completes a change decided by an actor. `at` is the current time in Unix milliseconds. */
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
