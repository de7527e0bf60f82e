/** The outbox table of tracking. */
import { outboxModel } from '../../../mixins/events/events.models.ts';

export const OutboxModel = outboxModel('tracking');
