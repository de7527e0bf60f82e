/** The relay's statements on `<schema>.outbox`. */
import type pg from 'pg';
import type { DomainEvent } from '../../machines/domain-event.ts';
import { isDomainEvent } from '../stream/event-stream.ts';

export interface OutboxDatabase {
  readonly pool: pg.Pool;
  readonly schema: string;
}

export interface OutboxRow {
  id: number;
  /** What the row holds, as JSON; nothing is promised about its shape. */
  events: string;
}

/**
 * Deletes the rows `done` and reads the first `room` others that are not in `atHand` (which includes `done`), in id
 * order: one statement, so one round trip and one commit. The commit does not wait for the disk, as a deletion that a
 * crash undoes is only a publication that is repeated.
 */
export async function exchangeRows(
  { pool, schema }: OutboxDatabase,
  done: readonly number[],
  atHand: readonly number[],
  room: number,
): Promise<OutboxRow[]> {
  const { rows } = await pool.query<OutboxRow>({
    name: `${schema} outbox exchange`,
    text: `
      WITH done AS (
        DELETE FROM ${schema}.outbox
        WHERE id = ANY($1::bigint[]) AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
      )
      SELECT id::float8 AS id, events::text AS events FROM ${schema}.outbox WHERE id <> ALL($2::bigint[]) ORDER BY outbox.id LIMIT $3::int`,
    values: [done, atHand, room],
  });
  return rows;
}

/** How a list of events begins. */
const LIST = /^\s*\[\s*\{/;

/**
 * The events of a row that somebody hears, `heard` being undefined when anybody may. Undefined when the row holds no
 * list of events. A list of which nobody hears any is not read: reading is most of the relay's work.
 */
export function eventsIn(text: string, heard: readonly string[] | undefined): readonly DomainEvent[] | undefined {
  if (heard && LIST.test(text) && !heard.some((type) => text.includes(`"${type}"`))) return [];
  const events: unknown = JSON.parse(text);
  if (!Array.isArray(events) || !events.every(isDomainEvent)) return undefined;
  return heard ? events.filter((event) => heard.includes(event.type)) : events;
}

/** Moves rows that can never be published out of the way, each with the reason, for an operator to look at. */
export async function parkRows(
  { pool, schema }: OutboxDatabase,
  rows: readonly { id: number; reason: string }[],
): Promise<void> {
  await pool.query(
    `WITH parked AS (
       DELETE FROM ${schema}.outbox USING unnest($1::bigint[], $2::text[]) AS refused (id, reason)
       WHERE outbox.id = refused.id RETURNING outbox.id, events, created_at, reason
     )
     INSERT INTO ${schema}.outbox_parked (id, events, created_at, reason)
     SELECT id, events, created_at, reason FROM parked`,
    [rows.map((row) => row.id), rows.map((row) => row.reason)],
  );
}

/** How many rows are there. */
export async function countRows({ pool, schema }: OutboxDatabase): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::float8 AS count FROM ${schema}.outbox`);
  return rows[0]?.count ?? 0;
}
