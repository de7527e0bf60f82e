/** A service's door to PostgreSQL: one schema, one Sequelize, whose pool has every connection of the service. */
import type pg from 'pg';
import { type Options, Sequelize, type Transaction } from 'sequelize';
import type { Logger } from 'moleculer';
import { parseAddress, placeOf } from './address.ts';
import { CONNECT_TIMEOUT_MS, type Connection, PATIENCE_MS, SILENCE_MS } from './connection.ts';
import { Connector } from './connector.ts';
import type { DeclaredModel, TableModel } from './model.ts';
import { Slots } from './slots.ts';
import { DatabaseClock, sampleClock } from './database-clock.ts';
import { type OutageLines, type OutageWatch, outageLog } from './outage-log.ts';
import { causeOfOutage, isCancelled, isOutage, isServerGone } from './sql-failure.ts';
import { type Statement, Trips } from './trips.ts';

/** An open database of one service. Nothing connects before the first statement. */
export interface Database {
  /** The PostgreSQL schema that holds every table of the service, and nothing else. */
  readonly schema: string;
  /** How the time of this machine compares with the database's. */
  readonly clock: DatabaseClock;
  /** For models, and for transactions where a round trip more does not matter. */
  readonly sequelize: Sequelize;
  /** A declared model on this Sequelize. */
  model<Declared extends DeclaredModel>(declared: Declared): TableModel<Declared>;
  /** Runs a statement that commits by itself, prepared if it has a name. For hot statements that find rows by key. */
  query<Row extends pg.QueryResultRow>(statement: Statement | string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
  /**
   * Runs `work` in a transaction that costs no round trip of its own: BEGIN and COMMIT travel with its statements. It is
   * undone when `work` fails or does not commit.
   */
  trips<T>(work: (trips: Trips) => Promise<T>): Promise<T>;
  /**
   * Runs reads that may have to search, in a Sequelize transaction: planned for their values, with more time, and few at
   * once, so that they leave connections to the rest. @throws ServiceUnavailable when too many run for too long.
   */
  search<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Fails when it does not answer, and when its server takes no writes. */
  demandWritable(): Promise<void>;
  /** Runs `work` in a Sequelize transaction without any limit of time. */
  unhurried<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How long a read that searches may take. */
const SEARCH_TIMEOUT_MS = 15_000;
/** The oldest PostgreSQL that Waybill is written for. */
const OLDEST_POSTGRES = '13.0.0';
/** The share of the connections that searches may have. */
const SEARCH_SHARE = 1 / 3;

/** The share of its age by which a connection may go earlier: those made together must not all go at once. */
const AGE_JITTER = 0.2;

/** What is not the same for every user of a database. */
export interface DatabaseOptions {
  /** How old a connection may get, in ms; older ones are not used again. For ever by default. */
  maxAgeMs?: number;
  /** Where outages are told; nowhere by default. */
  logger?: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Opens the database of a service, with at most `poolSize` connections. The caller closes it.
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
  /** Connections that are older are not used again. */
  #usableFrom = 0;
  #closed: Promise<void> | undefined;

  constructor(url: string, schema: string, poolSize: number, { maxAgeMs, logger }: DatabaseOptions) {
    const address = parseAddress(url);
    this.schema = schema;
    this.#watch = logger && outageLog(logger, linesFor(schema, placeOf(address)), causeOfOutage);
    this.#searches = new Slots(Math.max(1, Math.floor(poolSize * SEARCH_SHARE)), CONNECT_TIMEOUT_MS);
    this.sequelize = new Sequelize({
      dialect: 'postgres',
      schema,
      logging: false,
      pool: {
        max: poolSize,
        min: 0,
        acquire: CONNECT_TIMEOUT_MS,
        validate: (connection?: unknown) => this.#isUsable(connection as Connection, maxAgeMs),
      },
      define: { timestamps: false, underscored: true, freezeTableName: true },
      // Asking for it would take a connection beside the pool.
      databaseVersion: OLDEST_POSTGRES,
    } as Options);
    const connector = new Connector(address, `waybill ${schema}`);
    // Sequelize's own knows one host, and sets a session up with round trips of its own.
    (this.sequelize.connectionManager as unknown as Pick<Connector, 'connect'>).connect = () => connector.connect();
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
    return this.#searches.run(() => this.#transaction(SEARCH_TIMEOUT_MS, work));
  }

  unhurried<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transaction(0, work);
  }

  close(): Promise<void> {
    this.clock.stop();
    this.#closed ??= this.sequelize.close();
    return this.#closed;
  }

  /** Looked at when a connection is taken from the pool, never while it is at work. */
  #isUsable({ usable, born, chance }: Connection, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    return usable && born >= this.#usableFrom && performance.now() - born < maxAgeMs * (1 - AGE_JITTER * chance);
  }

  /** Lends a connection of Sequelize's pool. One that an outage was met on is not given back: it may be half dead. */
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
    // What comes after the end is no outage.
    if (this.#closed) return;
    if (server !== undefined && isServerGone(error)) this.#usableFrom = performance.now();
    this.#watch?.failed(error, server);
  }

  /** A Sequelize transaction whose statements are planned for their values, and may take `limitMs` each; 0 is for ever. */
  async #transaction<T>(limitMs: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    try {
      const result = await this.sequelize.transaction((transaction) => within(limitMs, transaction, work));
      this.#watch?.worked();
      return result;
    } catch (error) {
      // A search that took too long says nothing against the database.
      if (isOutage(error) && !isCancelled(error)) this.#failed(error);
      throw error;
    }
  }
}

async function within<T>(
  limitMs: number,
  transaction: Transaction,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { connection, sequelize } = transaction as Transaction & { connection: Connection; sequelize: Sequelize };
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
