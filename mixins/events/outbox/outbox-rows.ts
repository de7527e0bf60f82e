/** The relay's statements on `<schema>.outbox`. */
import type { Database } from '../../database/database.ts';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import { isDomainEvent } from '../stream/event-stream.ts';

export type OutboxDatabase = Pick<Database, 'query' | 'schema'>;

export interface OutboxRow {
  id: number;
  /** What the row holds, as JSON, of which nothing is promised; null when nobody hears any of it. */
  events: string | null;
}

/**
 * Deletes the rows `done` and reads the first `room` others that are not in `atHand` (which includes `done`), in id
 * order: one statement, so one round trip and one commit. The commit does not wait for the disk, as a deletion that a
 * crash undoes is only a publication that is repeated.
 *
 * `heard` are the event types that somebody hears, undefined when anybody may: other rows come without their events,
 * which nobody has to read then.
 */
export async function exchangeRows(
  database: OutboxDatabase,
  done: readonly number[],
  atHand: readonly number[],
  room: number,
  heard: readonly string[] | undefined,
): Promise<OutboxRow[]> {
  const { rows } = await database.query<OutboxRow>({
    name: `${database.schema} outbox exchange`,
    text: `
      WITH done AS (
        DELETE FROM ${database.schema}.outbox
        WHERE id = ANY($1::bigint[]) AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
      )
      SELECT id::float8 AS id, CASE WHEN $4::text[] IS NULL OR types IS NULL OR types && $4 THEN events::text END AS events
        FROM ${database.schema}.outbox WHERE id <> ALL($2::bigint[]) ORDER BY outbox.id LIMIT $3::int`,
    values: [done, atHand, room, heard ?? null],
  });
  return rows;
}

/** The events of a row that somebody hears. Undefined when the row holds no list of events. */
export function eventsIn(
  text: string | null,
  heard: readonly string[] | undefined,
): readonly DomainEvent[] | undefined {
  if (text === null) return [];
  const events: unknown = JSON.parse(text);
  if (!Array.isArray(events) || !events.every(isDomainEvent)) return undefined;
  return heard ? events.filter((event) => heard.includes(event.type)) : events;
}

/** Moves rows that can never be published out of the way, each with the reason, for an operator to look at. */
export async function parkRows(
  database: OutboxDatabase,
  rows: readonly { id: number; reason: string }[],
): Promise<void> {
  await database.query(
    `WITH parked AS (
       DELETE FROM ${database.schema}.outbox USING unnest($1::bigint[], $2::text[]) AS refused (id, reason)
       WHERE outbox.id = refused.id RETURNING outbox.id, events, created_at, reason
     )
     INSERT INTO ${database.schema}.outbox_parked (id, events, created_at, reason)
     SELECT id, events, created_at, reason FROM parked`,
    [rows.map((row) => row.id), rows.map((row) => row.reason)],
  );
}

/** How many rows are there. */
export async function countRows(database: OutboxDatabase): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM ${database.schema}.outbox`,
  );
  return rows[0]?.count ?? 0;
}
