/** What a round came to: as data for a file, and as text for people. */
import type { Violation } from './checker/promise.ts';
import type { Log } from './log.ts';
import type { Options } from './options.ts';
import type { Reckoning } from './reckoning.ts';
import type { Chaos, Struck } from './schedule.ts';
import { percentile } from './takeover.ts';

export interface Result {
  seed: number;
  seconds: number;
  command: string;
  /** Strikes that really struck, by kind. */
  faults: Record<string, number>;
  missed: number;
  /** Each of them, in the order in which they began. Milliseconds since the round began. */
  strikes: readonly Struck[];
  orders: { total: number; byStatus: Record<string, number> };
  requests: { total: number; done: number; accepted: number; refused: number; unknown: number; unsent: number };
  events: { read: number; distinct: number } | null;
  takeover: { measured: number; undisturbed: number; p50Ms: number | null; p99Ms: number | null };
  restedAfterMs: number | null;
  violations: readonly Violation[];
  /** Why the round fails; empty when it passes. */
  failures: string[];
}

/** Draws the result up. `chaos` is undefined when there were no faults to strike. */
export function resultOf(
  options: Options,
  log: Log,
  reckoning: Reckoning,
  chaos: Chaos | undefined,
  measured: number,
): Result {
  const { books, violations, restedAfterMs } = reckoning;
  const struck = chaos?.struck ?? [];
  const times = (books.takeovers ?? []).flatMap(({ from, to }) => (to === undefined ? [] : [to - from]));
  const failures: string[] = [];
  if (violations.length > 0) failures.push(`${violations.length} violations`);
  if (restedAfterMs === undefined) failures.push(`not everything came to rest within ${options.restSeconds} s`);
  if (chaos && struck.length === 0) failures.push('no fault struck');
  const views = [...books.orders.values()].flatMap(({ view }) => (view ? [view] : []));
  if (views.length === 0) failures.push('no order was placed');
  return {
    seed: options.seed,
    seconds: options.seconds,
    command: `npm run chaos -- ${process.argv.slice(2).join(' ')}${process.argv.includes('--seed') ? '' : ` --seed ${options.seed}`}`,
    faults: countBy(struck.map(({ kind }) => kind)),
    missed: chaos?.missed.length ?? 0,
    strikes: struck,
    orders: { total: views.length, byStatus: countBy(views.map(({ status }) => status)) },
    requests: {
      total: log.entries.length,
      done: log.count('done'),
      accepted: log.count('accepted'),
      refused: log.count('refused'),
      unknown: log.count('unknown'),
      unsent: log.count('unsent'),
    },
    events: books.events
      ? { read: books.events.length, distinct: new Set(books.events.map(({ id }) => id)).size }
      : null,
    takeover: {
      measured,
      undisturbed: times.length,
      p50Ms: times.length > 0 ? Math.round(percentile(times, 0.5)) : null,
      p99Ms: times.length > 0 ? Math.round(percentile(times, 0.99)) : null,
    },
    restedAfterMs: restedAfterMs === undefined ? null : Math.round(restedAfterMs),
    violations,
    failures,
  };
}

const SHOWN = 20;

/** The result for people. */
export function textOf(result: Result): string {
  const { faults, orders, requests, takeover, violations, events } = result;
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return [
    '',
    `seed         ${result.seed}`,
    `faults       ${struck} struck (${list(faults)}); ${result.missed} found nothing to strike`,
    `orders       ${orders.total} (${list(orders.byStatus)})`,
    `requests     ${requests.total}: ${requests.done} done, ${requests.accepted} taken but waiting, ${requests.refused} refused, ${requests.unknown} unknown, ${requests.unsent} unsent`,
    `events       ${events ? `${events.read} in the stream, ${events.read - events.distinct} of them repeats` : 'not read'}`,
    `takeover     p50 ${ms(takeover.p50Ms)}, p99 ${ms(takeover.p99Ms)} (${takeover.undisturbed} orders; ${takeover.measured - takeover.undisturbed} more were struck while they waited)`,
    `rest         ${result.restedAfterMs === null ? 'not reached' : `after ${(result.restedAfterMs / 1_000).toFixed(1)} s`}`,
    `violations   ${violations.length}`,
    ...violations
      .slice(0, SHOWN)
      .map(
        ({ promise, what, orderId }) => `  ${promise}\n    ${orderId === undefined ? '' : `order ${orderId}: `}${what}`,
      ),
    ...(violations.length > SHOWN ? [`  … and ${violations.length - SHOWN} more`] : []),
    result.failures.length === 0 ? 'PASSED' : `FAILED: ${result.failures.join('; ')}`,
    `again with   ${result.command}`,
    '',
  ].join('\n');
}

const ms = (value: number | null): string => (value === null ? '–' : `${value} ms`);

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const list = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none';
