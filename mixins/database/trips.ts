/** Transactions without extra round trips: BEGIN and COMMIT are sent along with the statements they enclose. */
import type pg from 'pg';
import type { Connection } from './connection.ts';

/** A statement with its values; one with a name is prepared once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}

type Results<Rows extends readonly pg.QueryResultRow[]> = { -readonly [I in keyof Rows]: pg.QueryResult<Rows[I]> };

/**
 * One transaction on one connection of Sequelize's pool. Sequelize's own transactions send BEGIN and COMMIT separately and
 * wait for each, which would double the round trips of every order.
 *
 * A trip resolves when all its statements have completed, and rejects with the first failure: later ones only report that
 * the transaction was aborted.
 */
export class Trips {
  readonly #connection: Connection;
  #open = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Sends BEGIN and these statements. */
  async begin<Rows extends readonly pg.QueryResultRow[]>(...statements: Statement[]): Promise<Results<Rows>> {
    this.#open = true;
    return (await this.#send(['BEGIN', ...statements])).slice(1) as Results<Rows>;
  }

  /** Sends these statements and COMMIT. If it fails because of an outage, the transaction may have been committed. */
  async commit<Rows extends readonly pg.QueryResultRow[]>(...statements: Statement[]): Promise<Results<Rows>> {
    this.#open = false;
    return (await this.#send([...statements, 'COMMIT'])).slice(0, -1) as Results<Rows>;
  }

  /** Sends a whole transaction at once: BEGIN, these statements and COMMIT. */
  async whole<Rows extends readonly pg.QueryResultRow[]>(...statements: Statement[]): Promise<Results<Rows>> {
    return (await this.#send(['BEGIN', ...statements, 'COMMIT'])).slice(1, -1) as Results<Rows>;
  }

  /** Rolls back what was not committed. Not awaited: it is sent before the connection's next statement. */
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
