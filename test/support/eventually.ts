/** Waiting for what becomes true, instead of sleeping. */
import { setTimeout as pause } from 'node:timers/promises';

const PAUSE_MS = 25;

/**
 * Repeats a check until it passes, and returns its result.
 * @throws the check's last failure when it has not passed within `withinMs`.
 */
export async function eventually<T>(check: () => T | Promise<T>, { withinMs = 10_000 } = {}): Promise<T> {
  const deadline = Date.now() + withinMs;
  while (true) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await pause(PAUSE_MS);
    }
  }
}
