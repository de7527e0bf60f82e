/** A lease: at most one process at a time is the worker for a name; another takes over when it stops renewing. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Database } from '../database/database.ts';
import { columns, table } from '../database/model.ts';
import { leaseModel } from './events.models.ts';

export interface LeaseOptions {
  /** The holder's display name, such as the node id. The lease makes it unique. */
  holder?: string;
  /** How long the lease lasts without renewal, in milliseconds. */
  termMs?: number;
  /** How often a holder renews and a candidate tries, in milliseconds; candidates add jitter. */
  renewMs?: number;
  /**
   * Whether this process can do the work now; always by default. A holder that is unable for 0.7 s gives the lease up
   * to a node that can, and tries again once it is able.
   */
  able?: () => boolean;
}

/** How long a holder may be unable to work, so that a brief loss of its connection causes no takeover. */
const UNABLE_MS = 700;
/** How often an unable process checks again. */
const LOOK_MS = 200;

/** What a lease needs of a database: queries, and the schema with the `leases` table. */
export type LeaseDatabase = Pick<Database, 'query' | 'schema'>;

/**
 * One row of `<schema>.leases`. Only the database's clock decides who may take it, so the nodes' clocks do not matter.
 * `held` uses this process's monotonic clock, counted from before the request was sent: a process that wakes up after a
 * suspension sees at once, without a query, that its lease has expired.
 *
 * A lease almost always prevents concurrent work, but it is not a lock: what the holder has already sent may arrive after
 * its term, so the work must be idempotent.
 */
export class Lease {
  readonly name: string;
  readonly #database: LeaseDatabase;
  readonly #statements: ReturnType<typeof statementsOn>;
  readonly #holder: string;
  readonly #termMs: number;
  readonly #renewMs: number;
  readonly #able: () => boolean;
  #unableSince: number | undefined;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #term = 0;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<boolean> | undefined;
  #running = false;

  constructor(database: LeaseDatabase, name: string, options: LeaseOptions = {}) {
    this.name = name;
    this.#database = database;
    this.#statements = statementsOn(database.schema);
    this.#holder = `${options.holder ?? 'node'} ${randomUUID()}`;
    this.#termMs = options.termMs ?? 2_000;
    this.#renewMs = options.renewMs ?? 600;
    this.#able = options.able ?? (() => true);
  }

  /** True while nobody else can take it. Ends a tenth of the term early, because clocks run at different speeds. */
  get held(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** Grows with every takeover; while it is unchanged, the holder has held the lease without a gap. */
  get term(): number {
    return this.#term;
  }

  /** Takes the lease if it is free, renews it if it is ours. Resolves with `held`; rejects when the database fails. */
  acquire(): Promise<boolean> {
    this.#asking ??= this.#acquire().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Keeps trying to take the lease, and renews it while it is held, until `stop`. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#keep();
  }

  /** Releases the lease, so that the next candidate gets it without waiting for the term to end. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#asking?.catch(() => false);
    await this.release();
  }

  /** Releases the lease if it is held. An unavailable database is not an error: the lease expires anyway. */
  async release(): Promise<void> {
    if (this.#heldUntil === Number.NEGATIVE_INFINITY) return;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    const values = [this.name, this.#holder];
    await this.#database.query({ ...this.#statements.release, values }).catch(() => undefined);
  }

  async #keep(): Promise<void> {
    if (this.#able()) this.#unableSince = undefined;
    else this.#unableSince ??= performance.now();
    const unable = this.#unableSince !== undefined;
    if (!unable) {
      // A failed renewal lets the lease expire; the holder's own statements report the cause.
      await this.acquire().catch(() => false);
    } else if (performance.now() - (this.#unableSince as number) >= UNABLE_MS) await this.release();
    if (!this.#running) return;
    const pause = this.held ? this.#renewMs : this.#renewMs * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.#keep(), unable ? LOOK_MS : pause).unref();
  }

  async #acquire(): Promise<boolean> {
    const askedAt = performance.now();
    const values = [this.name, this.#holder, this.#termMs];
    const { rows } = await this.#database.query<{ term: number }>({ ...this.#statements.acquire, values });
    const row = rows[0];
    this.#heldUntil = row ? askedAt + this.#termMs * 0.9 : Number.NEGATIVE_INFINITY;
    if (row) this.#term = row.term;
    return this.held;
  }
}

function statementsOn(schema: string) {
  const model = leaseModel(schema);
  const lease = columns(model, 'lease');
  const { name, holder, until, term } = columns(model);
  return {
    acquire: {
      name: `${schema} lease`,
      text: `
        INSERT INTO ${table(model)} AS lease (${name}, ${holder}, ${until}, ${term})
        VALUES ($1, $2, clock_timestamp() + $3::int * interval '1 millisecond', 1)
        ON CONFLICT (${name}) DO UPDATE SET
          ${holder} = excluded.${holder},
          ${until} = excluded.${until},
          ${term} = ${lease.term} + (${lease.holder} <> excluded.${holder} OR ${lease.until} <= clock_timestamp())::int
        WHERE ${lease.holder} = excluded.${holder} OR ${lease.until} <= clock_timestamp()
        RETURNING ${lease.term} AS term`,
    },
    // The row is kept, because its term must keep growing.
    release: {
      name: `${schema} lease release`,
      text: `UPDATE ${table(model)} SET ${until} = '-infinity' WHERE ${name} = $1 AND ${holder} = $2`,
    },
  };
}
