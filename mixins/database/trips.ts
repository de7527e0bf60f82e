/** Transactions that cost no round trip of their own: BEGIN and COMMIT go out with the statements they enclose. */
import type pg from 'pg';
import type { Connection } from './connection.ts';

/** A statement with its values; one with a name is prepared once a connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}

type Results<Rows extends readonly pg.QueryResultRow[]> = { -readonly [I in keyof Rows]: pg.QueryResult<Rows[I]> };

/**
 * One transaction on one connection of Sequelize's pool. Sequelize's own would send BEGIN and COMMIT by themselves and
 * wait for each, which doubles the round trips of the transactions that every order goes through.
 *
 * A trip answers when all its statements have, and fails with the first failure: the ones after it only say that the
 * transaction was aborted.
 */
export class Trips {
  readonly #connection: Connection;
  #open = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** BEGIN and these statements. */
  async begin<Rows extends readonly pg.QueryResultRow[]>(...statements: Statement[]): Promise<Results<Rows>> {
    this.#open = true;
    return (await this.#send(['BEGIN', ...statements])).slice(1) as Results<Rows>;
  }

  /** These statements and COMMIT. When it fails for an outage, the transaction may have been committed. */
  async commit<Rows extends readonly pg.QueryResultRow[]>(...statements: Statement[]): Promise<Results<Rows>> {
    this.#open = false;
    return (await this.#send([...statements, 'COMMIT'])).slice(0, -1) as Results<Rows>;
  }

  /** All of a transaction at once: BEGIN, these statements and COMMIT. */
  async whole<Rows extends readonly pg.QueryResultRow[]>(...statements: Statement[]): Promise<Results<Rows>> {
    return (await this.#send(['BEGIN', ...statements, 'COMMIT'])).slice(1, -1) as Results<Rows>;
  }

  /** Undoes what was not committed. Not awaited: it goes out before whatever the connection is asked next. */
  abandon(): void {
    if (this.#open) this.#connection.query('ROLLBACK').catch(() => undefined);
    this.#open = false;
  }

  async #send(statements: readonly (Statement | string)[]): Promise<pg.QueryResult[]> {
    const sent = this.#connection.together(() => statements.map((statement) => this.#connection.query(statement)));
    const settled = await Promise.allSettled(sent);
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    return settled.map((outcome) => (outcome as PromiseFulfilledResult<pg.QueryResult>).value);
  }
}
