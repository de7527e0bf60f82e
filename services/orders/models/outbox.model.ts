/** The outbox table of orders. */
import { outboxModel } from '../../../mixins/events/events.models.ts';

export const OutboxModel = outboxModel('orders');
