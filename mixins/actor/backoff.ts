/** Exponential backoff with jitter. */

/**
 * The pause in milliseconds after failed attempt number `attempt` (from 1): doubles from `baseMs` up to `capMs`. Half of
 * it is random, so that callers that failed together do not retry together.
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number = Math.random): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}
