/** A service's access to PostgreSQL: one schema, and one Sequelize whose pool holds every connection of the service. */
import type pg from 'pg';
import { type Options, Sequelize, type Transaction } from 'sequelize';
import type { Logger } from 'moleculer';
import { parseAddress, placeOf } from './address.ts';
import { ACQUIRE_TIMEOUT_MS, type Connection, PATIENCE_MS, SILENCE_MS } from './connection.ts';
import { Connector } from './connector.ts';
import type { DeclaredModel, TableModel } from './model.ts';
import { Slots } from './slots.ts';
import { DatabaseClock, sampleClock } from './database-clock.ts';
import { type OutageLines, type OutageWatch, outageLog } from './outage-log.ts';
import { causeOfOutage, isCancelled, isOutage, isServerGone } from './sql-failure.ts';
import { type Statement, Trips } from './trips.ts';

/** The open database of one service. It connects at the first statement. */
export interface Database {
  /** The PostgreSQL schema that contains every table of the service and nothing else. */
  readonly schema: string;
  /** The clock of this machine compared with the database's. */
  readonly clock: DatabaseClock;
  /** For models, and for transactions in which one more round trip does not matter. */
  readonly sequelize: Sequelize;
  /** A declared model on this Sequelize. */
  model<Declared extends DeclaredModel>(declared: Declared): TableModel<Declared>;
  /** Runs an auto-committed statement, prepared if it has a name. For hot statements that find rows by key. */
  query<Row extends pg.QueryResultRow>(statement: Statement | string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
  /**
   * Runs `work` in a transaction without extra round trips: BEGIN and COMMIT are sent along with its statements. It is
   * rolled back when `work` fails or does not commit.
   */
  trips<T>(work: (trips: Trips) => Promise<T>): Promise<T>;
  /**
   * Runs reads that may have to search, in a Sequelize transaction: planned for their values, with a longer timeout, and
   * only a few at once, so that they leave connections for other work.
   * @throws ServiceUnavailable when no slot becomes free in time
   */
  search<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Runs writes of models in a Sequelize transaction, with the timeouts of ordinary statements. */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Rejects when the server does not answer or accepts no writes. */
  demandWritable(): Promise<void>;
  /** Runs `work` in a Sequelize transaction without timeouts. */
  unhurried<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The timeout of a statement in `search`. */
const SEARCH_TIMEOUT_MS = 15_000;
/** The oldest supported PostgreSQL. */
const OLDEST_POSTGRES = '13.0.0';
/** The share of the connections that searches may use. */
const SEARCH_SHARE = 1 / 3;

/** Connections retire early by up to this share of their maximum age, so that those opened together do not all end at once. */
const AGE_JITTER = 0.2;

/** Options of an open database. */
export interface DatabaseOptions {
  /** The maximum age of a connection in ms; older ones are not reused. Unlimited by default. */
  maxAgeMs?: number;
  /** Where outages are logged; nowhere by default. */
  logger?: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Opens the database of a service with at most `poolSize` connections. The caller must close it.
 * @throws AddressError
 */
export function openDatabase(url: string, schema: string, poolSize: number, options: DatabaseOptions = {}): Database {
  return new OpenDatabase(url, schema, poolSize, options);
}

class OpenDatabase implements Database {
  readonly schema: string;
  readonly sequelize: Sequelize;
  readonly clock = new DatabaseClock(() => this.trips(sampleClock));
  readonly #searches: Slots;
  readonly #watch: OutageWatch | undefined;
  /** Connections created before this time are not reused. */
  #usableFrom = 0;
  #closed: Promise<void> | undefined;

  constructor(url: string, schema: string, poolSize: number, { maxAgeMs, logger }: DatabaseOptions) {
    const address = parseAddress(url);
    this.schema = schema;
    this.#watch = logger && outageLog(logger, linesFor(schema, placeOf(address)), causeOfOutage);
    this.#searches = new Slots(Math.max(1, Math.floor(poolSize * SEARCH_SHARE)), ACQUIRE_TIMEOUT_MS);
    this.sequelize = new Sequelize({
      dialect: 'postgres',
      logging: false,
      pool: {
        max: poolSize,
        min: 0,
        acquire: ACQUIRE_TIMEOUT_MS,
        validate: (connection?: unknown) => this.#isUsable(connection as Connection, maxAgeMs),
      },
      // Otherwise Sequelize would query the version on a connection outside the pool.
      databaseVersion: OLDEST_POSTGRES,
    } as Options);
    this.#adapt(new Connector(address, `waybill ${schema}`));
  }

  #adapt(connector: Connector): void {
    // Sequelize's own supports a single host, needs extra round trips to set up a session, and waits for ever for a
    // connection whose server has fallen silent to end.
    const manager = this.sequelize.connectionManager as unknown as {
      connect(): Promise<Connection>;
      disconnect(connection: Connection): Promise<void>;
    };
    manager.connect = () => connector.connect();
    manager.disconnect = (connection) => connection.goodbye();
    // A rollback fails only on a broken connection, on which nothing is left to roll back. Sequelize would write to the
    // console; the failure that led to the rollback is logged already.
    const statements = this.sequelize.getQueryInterface() as unknown as {
      rollbackTransaction(transaction: Transaction, options: object): Promise<void>;
    };
    const rollback = statements.rollbackTransaction.bind(statements);
    statements.rollbackTransaction = async (transaction, options) => {
      await rollback(transaction, options).catch(() => connectionOf(transaction).breakOff());
    };
  }

  model<Declared extends DeclaredModel>(declared: Declared) {
    return declared.on(this.sequelize) as TableModel<Declared>;
  }

  query<Row extends pg.QueryResultRow>(statement: Statement | string, values?: unknown[]) {
    return this.#connected((connection) => connection.query<Row>(statement, values));
  }

  trips<T>(work: (trips: Trips) => Promise<T>): Promise<T> {
    return this.#connected(async (connection) => {
      const trips = new Trips(connection);
      try {
        return await work(trips);
      } finally {
        trips.abandon();
      }
    });
  }

  demandWritable(): Promise<void> {
    return this.#connected((connection) => connection.demandWritable());
  }

  search<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#searches.run(() => this.#transaction((transaction) => within(SEARCH_TIMEOUT_MS, transaction, work)));
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transaction(work);
  }

  unhurried<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transaction((transaction) => within(0, transaction, work));
  }

  close(): Promise<void> {
    this.clock.stop();
    this.#closed ??= this.sequelize.close();
    return this.#closed;
  }

  /** Checked when a connection is taken from the pool, never while it is in use. */
  #isUsable({ usable, born, chance }: Connection, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    return usable && born >= this.#usableFrom && performance.now() - born < maxAgeMs * (1 - AGE_JITTER * chance);
  }

  /** Lends a connection of Sequelize's pool. After an outage the connection is closed instead of returned to the pool. */
  async #connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire();
    const { connectionManager } = this.sequelize;
    connection.replanWhenDue();
    try {
      const result = await work(connection);
      connectionManager.releaseConnection(connection);
      this.#watch?.worked();
      return result;
    } catch (error) {
      if (isOutage(error)) {
        this.#failed(error, connection.server);
        connection.breakOff();
        void connectionManager.destroyConnection(connection).catch(() => undefined);
      } else connectionManager.releaseConnection(connection);
      throw error;
    }
  }

  async #acquire(): Promise<Connection> {
    try {
      return (await this.sequelize.connectionManager.getConnection({ type: 'write' })) as Connection;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown, server?: string): void {
    // Failures after `close` are not outages.
    if (this.#closed) return;
    if (server !== undefined && isServerGone(error)) this.#usableFrom = performance.now();
    this.#watch?.failed(error, server);
  }

  async #transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let server: string | undefined;
    try {
      const result = await this.sequelize.transaction((transaction) => {
        ({ server } = connectionOf(transaction));
        return work(transaction);
      });
      this.#watch?.worked();
      return result;
    } catch (error) {
      // A search that took too long is not an outage of the database.
      if (isOutage(error) && !isCancelled(error)) this.#failed(error, server);
      throw error;
    }
  }
}

const connectionOf = (transaction: Transaction): Connection =>
  (transaction as Transaction & { connection: Connection }).connection;

/** Statements of `work` are planned for their values, with a timeout of `limitMs` each; 0: none. */
async function within<T>(
  limitMs: number,
  transaction: Transaction,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { sequelize } = transaction as Transaction & { sequelize: Sequelize };
  const connection = connectionOf(transaction);
  connection.patienceMs = limitMs === 0 ? 0 : limitMs + SILENCE_MS;
  try {
    await sequelize.query(
      `SET LOCAL statement_timeout = ${limitMs}; ${limitMs === 0 ? 'SET LOCAL idle_in_transaction_session_timeout = 0;' : ''}
       SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT; SET LOCAL plan_cache_mode TO DEFAULT`,
      { transaction },
    );
    return await work(transaction);
  } finally {
    connection.patienceMs = PATIENCE_MS;
  }
}

function linesFor(schema: string, place: string): OutageLines {
  const database = `The database of ${schema} (${place})`;
  return { failing: `${database} cannot be used`, working: `${database} can be used again` };
}
