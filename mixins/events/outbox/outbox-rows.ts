/** The relay's SQL statements on `<schema>.outbox`. */
import type { Database } from '../../database/database.ts';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import { columns, table } from '../../database/model.ts';
import { outboxModel, outboxParkedModel } from '../events.models.ts';
import { isDomainEvent } from '../stream/event-stream.ts';

export type OutboxDatabase = Pick<Database, 'query' | 'schema'>;

export interface OutboxRow {
  id: number;
  /** The row's JSON, unchecked; null when none of its events has a subscriber. */
  events: string | null;
}

/** What waits to be published. */
export interface OutboxBacklog {
  rows: number;
  /** How long ago the oldest row was written, in seconds; 0 when there is none. */
  oldestAgeS: number;
}

export class OutboxRows {
  readonly #database: OutboxDatabase;
  readonly #statements: ReturnType<typeof statementsOn>;

  constructor(database: OutboxDatabase) {
    this.#database = database;
    this.#statements = statementsOn(database.schema);
  }

  /**
   * Deletes the rows `done` and reads the first `room` rows that are not in `atHand` (which includes `done`), in id order.
   * It is one statement, so one round trip and one commit. The commit does not wait for the disk: if a crash undoes the
   * deletion, the events are merely published again.
   *
   * `heard` lists the event types that have subscribers, undefined when any type may. Rows without such a type are
   * returned without their events.
   */
  async exchange(
    done: readonly number[],
    atHand: readonly number[],
    room: number,
    heard: readonly string[] | undefined,
  ): Promise<OutboxRow[]> {
    const values = [done, atHand, room, heard ?? null];
    return (await this.#database.query<OutboxRow>({ ...this.#statements.exchange, values })).rows;
  }

  /** Parks rows that can never be published, each with the reason, for an operator. */
  async park(rows: readonly { id: number; reason: string }[]): Promise<void> {
    const values = [rows.map((row) => row.id), rows.map((row) => row.reason)];
    await this.#database.query({ ...this.#statements.park, values });
  }

  /** What waits in the outbox. */
  async backlog(): Promise<OutboxBacklog> {
    const { rows } = await this.#database.query<OutboxBacklog>(this.#statements.backlog);
    return rows[0] ?? { rows: 0, oldestAgeS: 0 };
  }
}

/** The events of a row that have subscribers. Undefined when the row is not a list of events. */
export function eventsIn(
  text: string | null,
  heard: readonly string[] | undefined,
): readonly DomainEvent[] | undefined {
  if (text === null) return [];
  const events: unknown = JSON.parse(text);
  if (!Array.isArray(events) || !events.every(isDomainEvent)) return undefined;
  return heard ? events.filter((event) => heard.includes(event.type)) : events;
}

function statementsOn(schema: string) {
  const [outboxOf, parkedOf] = [outboxModel(schema), outboxParkedModel(schema)];
  const [outbox, parked] = [table(outboxOf), table(parkedOf)];
  const { id, events, createdAt, types } = columns(outboxOf, 'o');
  const aside = columns(parkedOf);
  return {
    exchange: {
      name: `${schema} outbox exchange`,
      text: `
        WITH done AS (
          DELETE FROM ${outbox} o
          WHERE ${id} = ANY($1::bigint[]) AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
        )
        SELECT ${id} AS id,
            CASE WHEN $4::text[] IS NULL OR ${types} IS NULL OR ${types} && $4 THEN ${events}::text END AS events
          FROM ${outbox} o WHERE ${id} <> ALL($2::bigint[]) ORDER BY ${id} LIMIT $3::int`,
    },
    park: {
      name: `${schema} outbox park`,
      text: `
        WITH parked AS (
          DELETE FROM ${outbox} o USING unnest($1::bigint[], $2::text[]) AS refused (id, reason)
          WHERE ${id} = refused.id RETURNING ${id} AS id, ${events} AS events, ${createdAt} AS created_at, reason
        )
        INSERT INTO ${parked} (${aside.id}, ${aside.events}, ${aside.createdAt}, ${aside.reason})
        SELECT id, events, created_at, reason FROM parked`,
    },
    backlog: {
      name: `${schema} outbox backlog`,
      text: `
        SELECT count(*) AS rows,
            coalesce(extract(epoch FROM clock_timestamp() - min(${createdAt})), 0)::float8 AS "oldestAgeS"
          FROM ${outbox} o`,
    },
  };
}
