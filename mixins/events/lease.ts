/** A lease: at most one process at a time is the worker for a name, and the others take over when it falls silent. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Database } from '../database/database.ts';
import { columns, table } from '../database/model.ts';
import { leaseModel } from './events.models.ts';

export interface LeaseOptions {
  /** Who holds it, for people: the node's name. Made unique by the lease itself. */
  holder?: string;
  /** How long a holder may be silent, in milliseconds. */
  termMs?: number;
  /** How often a holder renews and a candidate asks, in milliseconds; candidates ask with jitter. */
  renewMs?: number;
  /**
   * Whether this process can do the work now; always by default. A lease belongs to a node that can: a holder that cannot
   * for a second gives it up, and asks for it again once it can.
   */
  able?: () => boolean;
}

/** How long a holder may be unable to do its work: a link that is mended at once costs no takeover. */
const UNABLE_MS = 1_000;
/** How often a process that is unable looks whether it still is. */
const LOOK_MS = 200;

/** What a lease needs of a database: its statements, and the schema that has the `leases` table. */
export type LeaseDatabase = Pick<Database, 'query' | 'schema'>;

/**
 * One row of `<schema>.leases`. Who may have it is decided by the database's clock alone, so the nodes' clocks do not
 * matter. `held` is judged by this process's monotonic clock from before the request left: a process that was stopped
 * and wakes up sees at once that its time is over, without asking.
 *
 * A lease keeps the work from being done twice at the same time nearly always. It is no lock: what the holder has
 * already sent may arrive after its term, so the work must stay harmless when it is repeated.
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
    this.#termMs = options.termMs ?? 3_000;
    this.#renewMs = options.renewMs ?? 1_000;
    this.#able = options.able ?? (() => true);
  }

  /** True while nobody else can have it. A tenth of the term is given away, for clocks that run at unequal speed. */
  get held(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** Grows with every takeover; a holder that sees it unchanged has held without a gap. */
  get term(): number {
    return this.#term;
  }

  /** Takes the lease if it is free, renews it if it is ours. Answers whether we hold it; fails when the database does. */
  acquire(): Promise<boolean> {
    this.#asking ??= this.#acquire().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Asks for the lease now and from then on, and renews it while we have it, until `stop`. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#keep();
  }

  /** Gives the lease up, so that the next candidate has it without waiting for the term to end. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#asking?.catch(() => false);
    await this.release();
  }

  /** Gives the lease up if we have it. A database that is away is no error: the term ends by itself. */
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
      // A failure is an unrenewed lease: it ends by the clock, and the holder's own statements say what is wrong.
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
    // The row stays, for its term must go on growing.
    release: {
      name: `${schema} lease release`,
      text: `UPDATE ${table(model)} SET ${until} = '-infinity' WHERE ${name} = $1 AND ${holder} = $2`,
    },
  };
}
