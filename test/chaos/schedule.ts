/** When which fault strikes: drawn from the seed at the beginning, then carried out as far as targets are free. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, type Field, Missed, type Strike } from './faults/fault.ts';
import type { Shape } from './mesh.ts';
import { type Latch, latch } from '../support/latch.ts';
import { Random } from '../support/random.ts';

/** A strike with its time. */
export interface Scheduled {
  readonly atMs: number;
  readonly kind: string;
  readonly strike: Strike;
}

/** A strike that was carried out. Times are milliseconds since the round began. */
export interface Struck {
  readonly kind: string;
  readonly detail: string;
  readonly targets: readonly string[];
  readonly from: number;
  to: number;
}

/** The maximum number of simultaneous strikes: with more, nothing would work at all. */
const MAX_AT_ONCE = 4;

/** The faults of a round: the same seed, length, pace and shape give the same ones. */
export function scheduleOf(
  seed: number,
  faults: readonly Fault[],
  { seconds, paceMs, shape }: { seconds: number; paceMs: number; shape: Shape },
): Scheduled[] {
  const random = new Random(seed, 'faults');
  const scheduled: Scheduled[] = [];
  const first = Math.min(1_000, paceMs);
  for (let atMs = first; atMs < seconds * 1_000; atMs += random.between(paceMs * 0.4, paceMs * 1.6)) {
    const fault = random.weighted(faults);
    scheduled.push({ atMs: Math.round(atMs), kind: fault.kind, strike: fault.draw(random, shape) });
  }
  return scheduled;
}

/** Carries a schedule out. */
export class Chaos {
  /** Strikes that really struck. */
  readonly struck: Struck[] = [];
  /** Strikes that found nothing to strike. */
  readonly missed: string[] = [];
  /** Strikes after which something was not as it must be. */
  readonly failures: string[] = [];
  readonly #field: Field;
  readonly #now: () => number;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #running = new Set<Promise<void>>();

  constructor(field: Field, now: () => number) {
    this.#field = field;
    this.#now = now;
  }

  /** Strikes until the schedule is through or the time is over; resolves when everything is healed. */
  async run(schedule: readonly Scheduled[], seconds: number): Promise<void> {
    for (const scheduled of schedule) {
      await pause(Math.max(0, scheduled.atMs - this.#now()));
      while (this.#running.size >= MAX_AT_ONCE) await Promise.race(this.#running);
      if (this.#now() > seconds * 1_000) break;
      const run: Promise<void> = this.#strike(scheduled, seconds).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
    await Promise.all(this.#running);
  }

  /** The strikes in progress. */
  now(): string {
    const kinds = this.struck.filter(({ to }) => to === Number.POSITIVE_INFINITY).map(({ kind }) => kind);
    return kinds.length > 0 ? kinds.join(', ') : 'calm';
  }

  /** Whether another strike on one of these targets was in progress at that time. */
  disturbed(from: number, to: number, isTarget: (target: string) => boolean, except?: string): boolean {
    return this.struck.some(
      (strike) =>
        strike.from < to && strike.to > from && strike.targets.some((target) => target !== except && isTarget(target)),
    );
  }

  async #strike({ kind, strike }: Scheduled, seconds: number): Promise<void> {
    const free = await this.#take(strike.targets);
    if (this.#now() > seconds * 1_000) {
      free();
      return;
    }
    const record: Struck = {
      kind,
      detail: strike.detail,
      targets: strike.targets,
      from: this.#now(),
      to: Number.POSITIVE_INFINITY,
    };
    this.struck.push(record);
    try {
      await strike.strike(this.#field);
    } catch (error) {
      if (error instanceof Missed) {
        this.struck.splice(this.struck.indexOf(record), 1);
        this.missed.push(`${kind} (${strike.detail}): ${error.message}`);
      } else this.failures.push(`${kind} (${strike.detail}): ${(error as Error).message}`);
    } finally {
      record.to = this.#now();
      free();
    }
  }

  /** Waits until the targets are free, and keeps them. One after another in alphabetical order, so that no two wait in a circle. */
  async #take(targets: readonly string[]): Promise<() => void> {
    const held: Latch[] = [];
    for (const target of targets.toSorted()) {
      const before = this.#busy.get(target);
      const mine = latch();
      this.#busy.set(
        target,
        (before ?? Promise.resolve()).then(() => mine.opened),
      );
      held.push(mine);
      await before;
    }
    return () => {
      for (const mine of held) mine.open();
    };
  }
}
