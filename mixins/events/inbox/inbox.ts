/** The inbox of a consumer: the ids of handled events in `<schema>.inbox`, so that redeliveries are skipped. */
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Database } from '../../database/database.ts';
import { columns, type RowOf, selected, table } from '../../database/model.ts';
import { GroupCommit } from '../../actor/group-commit.ts';
import type { HandleEvent } from '../stream/event-stream.ts';
import { inboxModel } from '../events.models.ts';
import { STREAM_MAX_AGE_MS } from '../stream/jetstream-link.ts';

/** A day longer than the stream keeps events, so that everything it may redeliver is remembered. */
const REMEMBER_MS = STREAM_MAX_AGE_MS + 86_400_000;
const PRUNE_AT_MOST = 5_000;

export type InboxDatabase = Pick<Database, 'query' | 'schema'>;

export class Inbox {
  readonly #database: InboxDatabase;
  readonly #statements: ReturnType<typeof statementsOn>;
  readonly #consumer: string;
  readonly #known: GroupCommit<string, boolean>;
  readonly #handled: GroupCommit<string, undefined>;

  constructor(database: InboxDatabase, consumer: string) {
    this.#database = database;
    this.#statements = statementsOn(database.schema);
    this.#consumer = consumer;
    this.#known = new GroupCommit((ids) => this.#lookUp(ids), { name: 'look up handled events' });
    this.#handled = new GroupCommit((ids) => this.#remember(ids), { name: 'remember handled events' });
  }

  /**
   * Wraps a handler so that it skips events it has already handled. The id is written after the handler succeeds, so a
   * crash in between repeats the event: handlers must be idempotent.
   */
  once(handle: HandleEvent): HandleEvent {
    return async (event: DomainEvent) => {
      if (await this.#known.push(event.id)) return;
      await handle(event);
      await this.#handled.push(event.id);
    };
  }

  /** Deletes a batch of ids that are too old to be redelivered. Returns how many. */
  async prune(): Promise<number> {
    const values = [this.#consumer, REMEMBER_MS, PRUNE_AT_MOST];
    return (await this.#database.query({ ...this.#statements.prune, values })).rowCount ?? 0;
  }

  async #lookUp(ids: readonly string[]): Promise<boolean[]> {
    const values = [this.#consumer, ids];
    const { rows } = await this.#database.query<InboxRow>({ ...this.#statements.lookUp, values });
    const known = new Set(rows.map((row) => row.eventId));
    return ids.map((id) => known.has(id));
  }

  async #remember(ids: readonly string[]): Promise<undefined[]> {
    await this.#database.query({ ...this.#statements.remember, values: [this.#consumer, ids] });
    return ids.map(() => undefined);
  }
}

type InboxRow = Pick<RowOf<ReturnType<typeof inboxModel>>, 'eventId'>;

function statementsOn(schema: string) {
  const model = inboxModel(schema);
  const inbox = table(model);
  const { consumer, eventId, receivedAt } = columns(model);
  return {
    prune: {
      name: `${schema} inbox prune`,
      text: `DELETE FROM ${inbox} WHERE (${consumer}, ${eventId}) IN (
         SELECT ${consumer}, ${eventId} FROM ${inbox}
         WHERE ${consumer} = $1 AND ${receivedAt} < now() - $2::float8 * interval '1 millisecond'
         ORDER BY ${receivedAt} LIMIT $3::int)`,
    },
    lookUp: {
      name: `${schema} inbox look up`,
      text: `SELECT ${selected(model, ['eventId'])} FROM ${inbox} WHERE ${consumer} = $1 AND ${eventId} = ANY($2::text[])`,
    },
    remember: {
      name: `${schema} inbox remember`,
      text: `INSERT INTO ${inbox} (${consumer}, ${eventId}) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`,
    },
  };
}
