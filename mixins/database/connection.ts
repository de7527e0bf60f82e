/** A connection of a service's pool: pipelined, with timeouts, and with values of the types that the models declare. */
import pg from 'pg';

/** The timeout of a statement at the server, waiting for locks included; most take a few ms. */
export const STATEMENT_TIMEOUT_MS = 4_000;
/** How much longer the client waits before it gives up the connection: the server may be unreachable. */
export const SILENCE_MS = 1_000;
/** How long the client waits for an ordinary statement. */
export const PATIENCE_MS = STATEMENT_TIMEOUT_MS + SILENCE_MS;
/** How long the client waits for a free connection of the pool, or for one to be opened. */
export const ACQUIRE_TIMEOUT_MS = 3_000;
/** How long it tries to connect. Less, so that the failure names the host and its reason instead of the pool. */
export const CONNECT_TIMEOUT_MS = 2_500;
/** How long a connection may take to say goodbye before it is broken off. */
const GOODBYE_MS = 500;

// A prepared statement planned while its table is nearly empty keeps its sequential scan as the table grows. Statements
// prepared here find rows by key, whatever the values: planning again or JIT compilation would take longer than running.
const PLANS = 'SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan';
// Not as startup parameters, which poolers refuse. A process that is suspended in the middle of a transaction must not
// hold its locks.
const LIMITS = `SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET idle_in_transaction_session_timeout = ${PATIENCE_MS}`;
// Sequelize quotes strings for this, which a database may have switched off.
const QUOTES = 'SET standard_conforming_strings = on';
const READ_ONLY = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only`;

const parserOf = pg.types.getTypeParser as (oid: number, format?: 'text') => (text: string) => unknown;
const INT8 = 20;
const INT8_ARRAY = 1016;
const NUMERIC_ARRAY = 1231;
const textArray = parserOf(1009);

/** BIGINT becomes a number (all of ours are below 2^53); NUMERIC stays text, so that nothing is rounded. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, Number],
  [INT8_ARRAY, (text) => (textArray(text) as string[]).map(Number)],
  [NUMERIC_ARRAY, textArray],
]);

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    PARSERS.get(oid) ?? parserOf(oid, format)) as typeof pg.types.getTypeParser,
};

/** At these ages of a connection, in ms, its plans are discarded; after the last one every `REPLAN_EVERY_MS`. */
const REPLAN_AT_MS = [500, 2_000, 10_000, 60_000];
const REPLAN_EVERY_MS = 600_000;

/** The internals of the driver used here, which its types do not declare. */
interface Internals {
  connection: { stream: { writable: boolean; cork(): void; uncork(): void; destroy(): void } };
  connectionParameters: { query_timeout: number | undefined };
}

/** A server that accepts no writes: a standby, or one that was made read-only. */
export class ReadOnlyServer extends Error {
  /** The SQLSTATE with which PostgreSQL refuses a write there. */
  readonly code = '25006';

  constructor() {
    super('the server is read-only');
  }
}

/** The driver's client, extended with what the pool and the statements of a service need. */
export class Connection extends pg.Client {
  /** When it was created, by `performance.now()`. */
  readonly born = performance.now();
  /** From 0 to 1: spreads the ends of connections that were created together. */
  readonly chance = Math.random();
  /** The server, as text for people. */
  readonly server: string;
  #replans = 0;

  constructor(server: string, config: pg.ClientConfig) {
    const pipelined = { query_timeout: PATIENCE_MS, keepAlive: true, ...config, types, pipeline: true };
    super(pipelined);
    this.server = server;
    // A broken connection fails its statements; without a listener it would also end the process.
    this.on('error', () => undefined);
  }

  /** False once it is closed, broken, or given up after a statement timed out. */
  get usable(): boolean {
    return this.#internals.connection.stream.writable;
  }

  /** How long the client waits for the result of a statement, in ms; 0: for ever. */
  set patienceMs(ms: number) {
    this.#internals.connectionParameters.query_timeout = ms;
  }

  /** Sets up the session, and returns whether its server is read-only. Call it once, after connecting. */
  async prepareSession(): Promise<{ readOnly: boolean }> {
    // A batch's events are large enough to be compressed, and the default method is slow. Not every PostgreSQL has lz4.
    this.query("SET default_toast_compression = 'lz4'").catch(() => undefined);
    const [readOnly] = await Promise.all([this.#isReadOnly(), this.query(`${PLANS}; ${LIMITS}; ${QUOTES}`)]);
    return { readOnly };
  }

  /** @throws ReadOnlyServer when the server accepts no writes now */
  async demandWritable(): Promise<void> {
    if (await this.#isReadOnly()) throw new ReadOnlyServer();
  }

  async #isReadOnly(): Promise<boolean> {
    const { rows } = await this.query<{ read_only: boolean }>(READ_ONLY);
    return rows[0]?.read_only === true;
  }

  /**
   * Discards the plans of prepared statements when due. A kept plan suits the size its tables had when it was made: a plan
   * for an empty table reads all of it, however large it grows. PostgreSQL looks at the size only when it plans.
   */
  replanWhenDue(): void {
    const { length } = REPLAN_AT_MS;
    const due = REPLAN_AT_MS[this.#replans] ?? (this.#replans - length + 1) * REPLAN_EVERY_MS;
    if (performance.now() - this.born < due) return;
    this.#replans++;
    this.query('DISCARD PLANS').catch(() => undefined);
  }

  /** Sends all statements of `send` in one write: the driver writes each separately, and every write wakes the server. */
  together<Sent>(send: () => Sent): Sent {
    const { stream } = this.#internals.connection;
    stream.cork();
    try {
      return send();
    } finally {
      stream.uncork();
    }
  }

  /** Closes it gracefully, or at once if the server does not answer in time. Never rejects. */
  async goodbye(): Promise<void> {
    const timer = setTimeout(() => this.breakOff(), GOODBYE_MS);
    try {
      await this.end();
    } catch {
      this.breakOff();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes it at once, whatever is in progress; a graceful close could wait for a server that does not answer. */
  breakOff(): void {
    this.#internals.connection.stream.destroy();
  }

  get #internals(): Internals {
    return this as unknown as Internals;
  }
}
