/** A service's door to PostgreSQL: one schema, one Sequelize, whose pool has every connection of the service. */
import type pg from 'pg';
import { Sequelize, type Transaction } from 'sequelize';
import { CONNECT_TIMEOUT_MS, type Connection, driverFor, PATIENCE_MS, SILENCE_MS } from './connection.ts';
import type { DeclaredModel, TableModel } from './model.ts';
import { Slots } from './slots.ts';
import { isOutage } from './sql-failure.ts';
import { type Statement, Trips } from './trips.ts';

/** An open database of one service. Nothing connects before the first statement. */
export interface Database {
  /** The PostgreSQL schema that holds every table of the service, and nothing else. */
  readonly schema: string;
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

/** Opens the database of a service, with at most `poolSize` connections. The caller closes it. */
export function openDatabase(url: string, schema: string, poolSize: number): Database {
  return new OpenDatabase(url, schema, poolSize);
}

class OpenDatabase implements Database {
  readonly schema: string;
  readonly sequelize: Sequelize;
  readonly #searches: Slots;
  #closed: Promise<void> | undefined;

  constructor(url: string, schema: string, poolSize: number) {
    this.schema = schema;
    this.#searches = new Slots(Math.max(1, Math.floor(poolSize * SEARCH_SHARE)), CONNECT_TIMEOUT_MS);
    this.sequelize = new Sequelize(url, {
      dialect: 'postgres',
      dialectModule: driverFor(url, `waybill ${schema}`),
      schema,
      logging: false,
      pool: {
        max: poolSize,
        min: 0,
        acquire: CONNECT_TIMEOUT_MS,
        validate: (connection?: unknown) => (connection as Connection).usable,
      },
      define: { timestamps: false, underscored: true, freezeTableName: true },
      // Asking for it would take a connection beside the pool.
      databaseVersion: OLDEST_POSTGRES,
      // The session is set up by `prepareSession` alone.
      keepDefaultTimezone: true,
      dialectOptions: { clientMinMessages: 'ignore' },
    } as ConstructorParameters<typeof Sequelize>[1]);
    this.sequelize.addHook('afterConnect', (connection) => setUp(connection as Connection));
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

  search<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#searches.run(() => this.#transaction(SEARCH_TIMEOUT_MS, work));
  }

  unhurried<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transaction(0, work);
  }

  close(): Promise<void> {
    this.#closed ??= this.sequelize.close();
    return this.#closed;
  }

  /** Lends a connection of Sequelize's pool. One that an outage was met on is not given back: it may be half dead. */
  async #connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const { connectionManager } = this.sequelize;
    const connection = (await connectionManager.getConnection({ type: 'write' })) as Connection;
    connection.replanWhenDue();
    try {
      const result = await work(connection);
      connectionManager.releaseConnection(connection);
      return result;
    } catch (error) {
      if (isOutage(error)) {
        connection.breakOff();
        void connectionManager.destroyConnection(connection).catch(() => undefined);
      } else connectionManager.releaseConnection(connection);
      throw error;
    }
  }

  /** A Sequelize transaction whose statements are planned for their values, and may take `limitMs` each; 0 is for ever. */
  #transaction<T>(limitMs: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.sequelize.transaction(async (transaction) => {
      const { connection } = transaction as Transaction & { connection: Connection };
      connection.patienceMs = limitMs === 0 ? 0 : limitMs + SILENCE_MS;
      try {
        await this.sequelize.query(
          `SET LOCAL statement_timeout = ${limitMs}; ${limitMs === 0 ? 'SET LOCAL idle_in_transaction_session_timeout = 0;' : ''}
           SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT; SET LOCAL plan_cache_mode TO DEFAULT`,
          { transaction },
        );
        return await work(transaction);
      } finally {
        connection.patienceMs = PATIENCE_MS;
      }
    });
  }
}

async function setUp(connection: Connection): Promise<void> {
  try {
    await connection.prepareSession();
  } catch (error) {
    // Sequelize forgets a connection whose set-up failed, and would leave it open.
    connection.breakOff();
    throw error;
  }
}
