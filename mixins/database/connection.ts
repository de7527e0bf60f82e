/** A connection of a service's pool: pipelined, with limits of time, and with values as the models say. */
import pg from 'pg';

/** How long a statement, waiting for locks included, may take before PostgreSQL ends it; most take a few ms. */
export const STATEMENT_TIMEOUT_MS = 4_000;
/** How much longer the client waits before it gives a connection up as silent: the server may be out of reach. */
export const SILENCE_MS = 1_000;
/** How long the client waits for an ordinary statement. */
export const PATIENCE_MS = STATEMENT_TIMEOUT_MS + SILENCE_MS;
export const CONNECT_TIMEOUT_MS = 3_000;

// A prepared statement that is planned while its table is nearly empty keeps a sequential scan as the table grows. What
// is prepared here finds its rows by key, whatever the values: planning anew, or compiling, would take longer than running.
const PLANS = 'SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan';
// Not as parameters of the startup packet, which poolers refuse. A process that is stopped in the middle of a transaction
// must not keep the locks from the others.
const LIMITS = `SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET idle_in_transaction_session_timeout = ${PATIENCE_MS}`;
const READ_ONLY = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only`;

const parserOf = pg.types.getTypeParser as (oid: number, format?: 'text') => (text: string) => unknown;
const INT8 = 20;
const INT8_ARRAY = 1016;
const NUMERIC_ARRAY = 1231;
const textArray = parserOf(1009);

/** BIGINT is a number (all of ours are below 2^53), NUMERIC stays text, which no rounding has touched. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, Number],
  [INT8_ARRAY, (text) => (textArray(text) as string[]).map(Number)],
  [NUMERIC_ARRAY, textArray],
]);

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    PARSERS.get(oid) ?? parserOf(oid, format)) as typeof pg.types.getTypeParser,
};

/** At these ages of a connection, in ms, its plans are made anew; past the last one every `REPLAN_EVERY_MS`. */
const REPLAN_AT_MS = [500, 2_000, 10_000, 60_000];
const REPLAN_EVERY_MS = 600_000;

/** What of the driver is not among its declared types. */
interface Internals {
  connection: { stream: { writable: boolean; cork(): void; uncork(): void; destroy(): void } };
  connectionParameters: { query_timeout: number | undefined };
}

/** A server that takes no writes: a standby, or one that was made read-only. */
export class ReadOnlyServer extends Error {
  /** The SQLSTATE with which PostgreSQL refuses a write there. */
  readonly code = '25006';

  constructor() {
    super('the server is read-only');
  }
}

/** The driver's client, with what the pool and the statements of a service need of it. */
export class Connection extends pg.Client {
  /** When it was made, as `performance.now()` counts. */
  readonly born = performance.now();
  /** From 0 to 1: by this share of what is allowed it may end earlier than others. */
  readonly chance = Math.random();
  /** The server, for people. */
  readonly server: string;
  #replans = 0;

  constructor(server: string, config: pg.ClientConfig) {
    const pipelined = { query_timeout: PATIENCE_MS, keepAlive: true, ...config, types, pipeline: true };
    super(pipelined);
    this.server = server;
    // One that breaks fails its statements, or the next ones; without a listener it would end the process too. Sequelize
    // listens only once it is connected.
    this.on('error', () => undefined);
  }

  /** False once it is closed, broken, or given up after a statement that was not answered in time. */
  get usable(): boolean {
    return this.#internals.connection.stream.writable;
  }

  /** How long the client waits for the answer to a statement, in ms; 0 is for ever. */
  set patienceMs(ms: number) {
    this.#internals.connectionParameters.query_timeout = ms;
  }

  /** Sets the session up, and answers whether its server is read-only. To be called once, when it is connected. */
  async prepareSession(): Promise<{ readOnly: boolean }> {
    // A batch's events are large enough to be compressed, which the default does slowly. Not every PostgreSQL has lz4.
    this.query("SET default_toast_compression = 'lz4'").catch(() => undefined);
    const [readOnly] = await Promise.all([this.#isReadOnly(), this.query(`${PLANS}; ${LIMITS}`)]);
    return { readOnly };
  }

  /** @throws ReadOnlyServer when its server takes no writes now. */
  async demandWritable(): Promise<void> {
    if (await this.#isReadOnly()) throw new ReadOnlyServer();
  }

  async #isReadOnly(): Promise<boolean> {
    const { rows } = await this.query<{ read_only: boolean }>(READ_ONLY);
    return rows[0]?.read_only === true;
  }

  /**
   * A plan that is kept was made for the size its tables had then: one for a table that was empty reads all of it, however
   * long it grows. PostgreSQL looks at the size whenever it plans, so now and then it is made to.
   */
  replanWhenDue(): void {
    const { length } = REPLAN_AT_MS;
    const due = REPLAN_AT_MS[this.#replans] ?? (this.#replans - length + 1) * REPLAN_EVERY_MS;
    if (performance.now() - this.born < due) return;
    this.#replans++;
    this.query('DISCARD PLANS').catch(() => undefined);
  }

  /** What `send` sends goes out in one write: the driver writes each statement by itself, and every write wakes the server. */
  together<Sent>(send: () => Sent): Sent {
    const { stream } = this.#internals.connection;
    stream.cork();
    try {
      return send();
    } finally {
      stream.uncork();
    }
  }

  /** Ends it at once, whatever is under way; a goodbye might wait for a server that is silent. */
  breakOff(): void {
    this.#internals.connection.stream.destroy();
  }

  get #internals(): Internals {
    return this as unknown as Internals;
  }
}
