/** How long to wait before trying again what has failed. */

/**
 * The pause after failed attempt number `attempt` (from 1), in milliseconds: doubling from `baseMs` up to `capMs`, of
 * which half is left to chance, so that those that failed together do not come back together.
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number = Math.random): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}
