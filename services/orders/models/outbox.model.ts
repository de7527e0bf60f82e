/** The outbox of orders: its statements put the events of a batch into it, in the commit of the batch. */
import { outboxModel } from '../../../mixins/events/events.models.ts';

export const OutboxModel = outboxModel('orders');
