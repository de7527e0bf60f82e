/** Compares the clock of this machine with that of a database, which all nodes share. */
import type { Logger } from 'moleculer';
import { MAX_AHEAD_MS } from '../mesh/seal/packet-seal.ts';
import type { Trips } from './trips.ts';

/** One measurement, in milliseconds. */
export interface ClockSample {
  /** How far this machine is ahead of the database, give or take `uncertainMs`. */
  aheadMs: number;
  uncertainMs: number;
}

export interface ClockWatchOptions {
  /** The name of the database in log lines. */
  of: string;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Called with every sample. */
  onSample?: (sample: ClockSample) => void;
}

const EVERY_MS = 60_000;
/** How often the clock is checked while it is wrong. */
const EVERY_WHILE_WRONG_MS = 5_000;
/** How often to check whether somebody has set the clock, in which case it is compared at once. */
const LOOK_MS = 1_000;
const SET_BY_MS = 500;

const NOW = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now';

/** Measures the difference to a database's clock, assuming that half of the round trip is the way there. */
export async function sampleClock(trips: Trips): Promise<ClockSample> {
  const [at, began] = [Date.now(), performance.now()];
  const [{ rows }] = await trips.whole<[{ now: number }]>({ text: NOW });
  const uncertainMs = (performance.now() - began) / 2;
  return { aheadMs: at + uncertainMs - (rows[0]?.now ?? at), uncertainMs };
}

/** What is known about the clock. Until `watch` is called it is assumed to be right. */
export class DatabaseClock {
  readonly #sample: () => Promise<ClockSample>;
  #right = true;
  #correctionMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #drift = 0;

  /** `sample` asks the database, and rejects when it does not answer. */
  constructor(sample: () => Promise<ClockSample>) {
    this.#sample = sample;
  }

  /** False while this machine's clock is further off than nodes tolerate. */
  get isRight(): boolean {
    return this.#right;
  }

  /**
   * The database's time in Unix milliseconds, as far as it is known, so that nodes agree on the order of events. A clock
   * that is off by more than nodes tolerate is not corrected any further.
   */
  now(): number {
    return Math.round(Date.now() - this.#correctionMs);
  }

  /** Compares the clocks now, every minute, and whenever the clock is set, until `stop`. */
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
    // An outage of the database is reported elsewhere, and says nothing about the clock.
    const sample = await this.#sample().catch(() => undefined);
    if (!sample) return;
    onSample?.(sample);
    const { aheadMs, uncertainMs } = sample;
    const wrong = Math.abs(aheadMs) - uncertainMs > MAX_AHEAD_MS;
    // Within the uncertainty the correction stays unchanged, so that times do not waver.
    if (!wrong && Math.abs(aheadMs - this.#correctionMs) > uncertainMs) this.#correctionMs = aheadMs;
    if (wrong === !this.#right) return;
    this.#right = !wrong;
    if (wrong) this.#due = performance.now() + EVERY_WHILE_WRONG_MS;
    const off = `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${of}`;
    if (wrong) logger.warn(`The clock of this machine is ${off}: it takes no work until the clock is corrected`);
    else logger.info(`The clock of this machine is right again: ${off}`);
  }
}
