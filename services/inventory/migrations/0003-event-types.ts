/** Adds the event types to each outbox row. */
import type { Migration } from '../../../mixins/database/migrations.ts';
import { outboxTypes } from '../../../mixins/events/outbox/outbox.schema.ts';

export const eventTypes: Migration = { name: '0003-event-types', sql: outboxTypes('inventory') };
