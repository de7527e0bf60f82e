/** The outbox table of inventory. */
import { outboxModel } from '../../../mixins/events/events.models.ts';

export const OutboxModel = outboxModel('inventory');
