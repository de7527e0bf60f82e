/** The tables behind the events of a service, as models of its schema: outbox, inbox, and the leases of its single workers. */
import type { DomainEvent, EventType } from '../../machines/shared/domain-event.ts';
import { array, bigint, DeclaredModel, json, key, made, nullable, text, time } from '../database/model.ts';

/**
 * One row a commit batch, inserted in the transaction that made the changes, after the locks on what it changes are taken:
 * ids are given out before the commit, so only then do two changes of one key get ids in the order of their commits. The
 * relay deletes a row once all its events are acknowledged.
 */
export const outboxModel = (schema: string) =>
  new DeclaredModel(schema, 'outbox', {
    id: made(key(bigint())),
    events: json<readonly DomainEvent[]>(),
    createdAt: made(time()),
    /** What the events are of, so that those nobody hears need not be read. Rows of older nodes have none, and are read. */
    types: nullable(array(text<EventType>())),
  });

/** Rows the relay cannot read as events, set aside for an operator. Putting one back is an INSERT of its events into `outbox`. */
export const outboxParkedModel = (schema: string) =>
  new DeclaredModel(schema, 'outbox_parked', {
    id: key(bigint()),
    events: json<unknown>(),
    createdAt: time(),
    parkedAt: made(time()),
    reason: text(),
  });

/** Who is the one worker for a name, by the database's clock. */
export const leaseModel = (schema: string) =>
  new DeclaredModel(schema, 'leases', { name: key(text()), holder: text(), until: time(), term: bigint() });

/** The ids of events a consumer has handled. */
export const inboxModel = (schema: string) =>
  new DeclaredModel(schema, 'inbox', { consumer: key(text()), eventId: key(text()), receivedAt: made(time()) });

/** All of them. */
export const eventModels = (schema: string) => [
  outboxModel(schema),
  outboxParkedModel(schema),
  leaseModel(schema),
  inboxModel(schema),
];
