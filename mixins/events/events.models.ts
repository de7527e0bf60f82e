/** The models of a service's event tables: outbox, parked outbox rows, inbox, and leases. */
import type { DomainEvent, EventType } from '../../machines/shared/domain-event.ts';
import { array, bigint, DeclaredModel, json, key, made, nullable, text, time } from '../database/model.ts';

/**
 * One row per commit batch, inserted in the transaction that made the changes, after it has locked the rows it changes.
 * Ids are assigned before the commit, so this keeps the ids of one key's changes in commit order. The relay deletes a row
 * once all its events are acknowledged.
 */
export const outboxModel = (schema: string) =>
  new DeclaredModel(schema, 'outbox', {
    id: made(key(bigint())),
    events: json<readonly DomainEvent[]>(),
    createdAt: made(time()),
    /** The event types, so that events without subscribers are not read. Null in rows of older nodes, which are read. */
    types: nullable(array(text<EventType>())),
  });

/** Rows that the relay cannot publish, parked for an operator. To requeue one, insert its events into `outbox`. */
export const outboxParkedModel = (schema: string) =>
  new DeclaredModel(schema, 'outbox_parked', {
    id: key(bigint()),
    events: json<unknown>(),
    createdAt: time(),
    parkedAt: made(time()),
    reason: text(),
  });

/** The single worker of each name, by the database's clock. */
export const leaseModel = (schema: string) =>
  new DeclaredModel(schema, 'leases', { name: key(text()), holder: text(), until: time(), term: bigint() });

/** The ids of the events that each consumer has handled. */
export const inboxModel = (schema: string) =>
  new DeclaredModel(schema, 'inbox', { consumer: key(text()), eventId: key(text()), receivedAt: made(time()) });

/** All event models of a schema. */
export const eventModels = (schema: string) => [
  outboxModel(schema),
  outboxParkedModel(schema),
  leaseModel(schema),
  inboxModel(schema),
];
