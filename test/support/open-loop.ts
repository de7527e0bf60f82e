/** Work that begins at its time, whatever becomes of the work before it: as callers do who know nothing of each other. */
import { setTimeout as until } from 'node:timers/promises';

/** Begins work at a fixed rate per second for some seconds, and returns all outcomes in order. */
export async function openLoop<T>(
  perSecond: number,
  seconds: number,
  work: (count: number) => Promise<T>,
): Promise<T[]> {
  const begun: Promise<T>[] = [];
  const start = performance.now();
  for (let count = 0; count < perSecond * seconds; count++) {
    const wait = start + (count * 1_000) / perSecond - performance.now();
    if (wait > 0) await until(wait);
    begun.push(work(count));
  }
  return await Promise.all(begun);
}
