/** The clock of this machine against that of a database, which all nodes have in common. */
import type { Logger } from 'moleculer';
import { MAX_AHEAD_MS } from '../mesh/seal/packet-seal.ts';
import type { Trips } from './trips.ts';

/** One question to the database. Milliseconds. */
export interface ClockSample {
  /** How far this machine is ahead of the database, give or take `uncertainMs`. */
  aheadMs: number;
  uncertainMs: number;
}

export interface ClockWatchOptions {
  /** The database, for people. */
  of: string;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Told of every sample. */
  onSample?: (sample: ClockSample) => void;
}

const EVERY_MS = 60_000;
/** How often a clock that is wrong is looked at. */
const EVERY_WHILE_WRONG_MS = 5_000;
/** How often it is looked whether somebody has set the clock, which is asked about at once. */
const LOOK_MS = 1_000;
const SET_BY_MS = 500;

const NOW = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now';

/** Asks a database for its time. Half of the round trip is taken for the way there. */
export async function sampleClock(trips: Trips): Promise<ClockSample> {
  const [at, began] = [Date.now(), performance.now()];
  const [{ rows }] = await trips.whole<[{ now: number }]>({ text: NOW });
  const uncertainMs = (performance.now() - began) / 2;
  return { aheadMs: at + uncertainMs - (rows[0]?.now ?? at), uncertainMs };
}

/** What is known of the clock. Until it is watched it is taken to be right. */
export class DatabaseClock {
  readonly #sample: () => Promise<ClockSample>;
  #right = true;
  #correctionMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #drift = 0;

  /** `sample` asks the database; it fails when that does not answer. */
  constructor(sample: () => Promise<ClockSample>) {
    this.#sample = sample;
  }

  /** False while this machine is further off than nodes bear. */
  get isRight(): boolean {
    return this.#right;
  }

  /**
   * The database's time in Unix milliseconds, as far as it is known: nodes that ask agree on the order in which things
   * happened. A clock that is wrong by more than is borne is not corrected any further.
   */
  now(): number {
    return Math.round(Date.now() - this.#correctionMs);
  }

  /** Asks now, and from then on every minute and when the clock was set, until `stop`. */
  async watch(options: ClockWatchOptions): Promise<void> {
    await this.#look(options);
    this.#timer = setInterval(() => {
      const jumped = Math.abs(Date.now() - performance.now() - this.#drift) > SET_BY_MS;
      if (jumped || performance.now() >= this.#due) void this.#look(options);
    }, LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look({ of, logger, onSample }: ClockWatchOptions): Promise<void> {
    this.#drift = Date.now() - performance.now();
    this.#due = performance.now() + (this.#right ? EVERY_MS : EVERY_WHILE_WRONG_MS);
    // A database that does not answer says so by itself, and nothing of the clock.
    const sample = await this.#sample().catch(() => undefined);
    if (!sample) return;
    onSample?.(sample);
    const { aheadMs, uncertainMs } = sample;
    const wrong = Math.abs(aheadMs) - uncertainMs > MAX_AHEAD_MS;
    // Within what is uncertain the correction stays as it is: times should not waver.
    if (!wrong && Math.abs(aheadMs - this.#correctionMs) > uncertainMs) this.#correctionMs = aheadMs;
    if (wrong === !this.#right) return;
    this.#right = !wrong;
    if (wrong) this.#due = performance.now() + EVERY_WHILE_WRONG_MS;
    const off = `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${of}`;
    if (wrong) logger.warn(`The clock of this machine is ${off}: it is not ready, and takes up nothing`);
    else logger.info(`The clock of this machine is right again: ${off}`);
  }
}
