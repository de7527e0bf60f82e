/** A service's door to PostgreSQL: one schema, a pg pool for the hot statements, Sequelize for models and reads. */
import pg from 'pg';
import { Sequelize } from 'sequelize';

/** An open database of one service. Both pools are lazy: nothing connects before the first statement. */
export interface Database {
  /** The PostgreSQL schema that holds every table of the service, and nothing else. */
  readonly schema: string;
  /** For prepared multi-row statements. BIGINT arrives as number (ids are below 2^53), NUMERIC as text. */
  readonly pool: pg.Pool;
  /** For models, and reads that are not hot. */
  readonly sequelize: Sequelize;
  /** A connection without any time limit, for work that may take long. The caller ends it. */
  connectAlone(): Promise<pg.Client>;
  close(): Promise<void>;
}

const numbers = (text: string): number => Number(text);
const INT8 = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === INT8 ? numbers : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** How long a prepared statement, waiting for locks included, may take before PostgreSQL ends it; they take a few ms. */
const STATEMENT_TIMEOUT_MS = 4_000;
/** The same for reads that may have to search. */
const READ_TIMEOUT_MS = 15_000;
/** How much longer the client waits before it gives a connection up as silent: the server may be out of reach. */
const SILENCE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 3_000;

const SESSION = 'SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan';

/** Opens the database of a service. The caller closes it. */
export function openDatabase(url: string, schema: string, poolSize: number): Database {
  const options: pg.PoolConfig & { pipeline: boolean } = {
    connectionString: url,
    max: poolSize,
    types,
    pipeline: true,
    application_name: `waybill ${schema}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + SILENCE_MS,
    // A process that is stopped in the middle of a transaction must not keep the locks from the others.
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS + SILENCE_MS,
    keepAlive: true,
  };
  const pool = new pg.Pool(options);
  // An idle connection that breaks is replaced at the next statement, which reports what went wrong.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    // One that breaks while it is checked out fails its statements; without a listener it would end the process too.
    client.on('error', () => undefined);
    // A prepared statement that is planned while its table is nearly empty keeps a sequential scan as the table grows.
    // Everything that goes through this pool finds its rows by key, whatever the values: planning anew, or compiling,
    // would take longer than running. A failure of this statement shows at the one that follows.
    client.query(SESSION).catch(() => undefined);
    // A batch's events are large enough to be compressed, which the default does slowly. Not every PostgreSQL has lz4.
    client.query("SET default_toast_compression = 'lz4'").catch(() => undefined);
  });
  replanAsTablesGrow(pool);
  const sequelize = new Sequelize(url, {
    dialect: 'postgres',
    schema,
    logging: false,
    pool: { max: Math.max(2, poolSize >> 1), min: 0, acquire: CONNECT_TIMEOUT_MS },
    define: { timestamps: false, underscored: true, freezeTableName: true },
    dialectOptions: {
      application_name: `waybill ${schema} reads`,
      statement_timeout: READ_TIMEOUT_MS,
      query_timeout: READ_TIMEOUT_MS + SILENCE_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    },
  });
  return {
    schema,
    pool,
    sequelize,
    connectAlone: async () => {
      const client = new pg.Client({
        connectionString: url,
        types,
        application_name: `waybill ${schema} alone`,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
      });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    close: async () => {
      await Promise.all([pool.end(), sequelize.close()]);
    },
  };
}

/** At these ages of a connection, in ms, its plans are made anew; past the last one every `REPLAN_EVERY_MS`. */
const REPLAN_AT_MS = [500, 2_000, 10_000, 60_000];
const REPLAN_EVERY_MS = 600_000;

/**
 * A plan that is kept was made for the size its tables had then: one for a table that was empty reads all of it, however
 * long it grows. PostgreSQL looks at the size whenever it plans, so now and then it is made to.
 */
function replanAsTablesGrow(pool: pg.Pool): void {
  const born = new WeakMap<pg.PoolClient, { at: number; replans: number }>();
  pool.on('connect', (client) => born.set(client, { at: performance.now(), replans: 0 }));
  pool.on('acquire', (client) => {
    const life = born.get(client);
    if (!life) return;
    const age = performance.now() - life.at;
    const { length } = REPLAN_AT_MS;
    const due = REPLAN_AT_MS[life.replans] ?? (life.replans - length + 1) * REPLAN_EVERY_MS;
    if (age < due) return;
    life.replans++;
    client.query('DISCARD PLANS').catch(() => undefined);
  });
}
