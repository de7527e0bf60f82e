/** The end of a round: waits until everything comes to rest, then checks the books against every promise. */
import { setTimeout as pause } from 'node:timers/promises';
import type { BookReader, Books } from './books.ts';
import { check } from './checker/index.ts';
import type { Violation } from './checker/promise.ts';
import type { Log } from './log.ts';

const LOOK_EVERY_MS = 500;

export interface Reckoning {
  readonly books: Books;
  readonly violations: readonly Violation[];
  /** How long it took until nothing was owed; undefined when the time ran out first. */
  readonly restedAfterMs: number | undefined;
}

export interface ReckoningOptions {
  reader: BookReader;
  log: Log;
  /** How long the system has to come to rest. */
  withinMs: number;
  incidents: readonly string[];
  /** Asks which nodes do not serve. */
  deaf: () => Promise<readonly string[]>;
  takeovers: Books['takeovers'];
  say: (what: string) => void;
}

/**
 * Waits for rest, reads the books and checks them. What is wrong is read once more until the time is over, for an event
 * may still be on its way: only what stays wrong is a violation.
 */
export async function reckon(options: ReckoningOptions): Promise<Reckoning> {
  const { reader, log, withinMs, incidents, deaf, takeovers, say } = options;
  const began = performance.now();
  const left = (): number => withinMs - (performance.now() - began);
  const quiet = await rest(reader, left, say);
  const quietAfterMs = performance.now() - began;
  say('reading the books');
  const ids = new Set([...(await reader.orderIds()), ...log.namedOrders().keys()]);
  const orders = await reader.orders(ids);
  for (;;) {
    const [stock, reconciliation, stream, deafNodes] = await Promise.all([
      reader.stock(),
      reader.reconciliation(),
      reader.stream().catch(() => ({ events: [] })),
      deaf(),
    ]);
    const events = stream?.events;
    const books: Books = {
      log,
      orders,
      stock,
      reconciliation,
      events,
      incidents,
      deaf: deafNodes,
      takeovers,
    };
    const violations = check(books);
    const restedAfterMs = quiet ? quietAfterMs : undefined;
    if (violations.length === 0 || left() <= 0) return { books, violations, restedAfterMs };
    say(`${violations.length} things are not right yet`);
    await pause(LOOK_EVERY_MS);
    const doubtful = new Set(violations.flatMap(({ orderId }) => (orderId === undefined ? [] : [orderId])));
    for (const [id, book] of await reader.orders(doubtful)) orders.set(id, book);
  }
}

/** Looks until nothing is owed and every event is handled. */
async function rest(reader: BookReader, left: () => number, say: (what: string) => void): Promise<boolean> {
  for (;;) {
    try {
      const [waiting, stream] = await Promise.all([reader.waiting(), reader.stream()]);
      if (waiting === 0 && (stream?.pending ?? 0) === 0) return left() > 0;
      say(`waiting for rest: ${waiting} orders owe something, ${stream?.pending ?? 0} events are not handled yet`);
    } catch (error) {
      say(`waiting for rest: ${(error as Error).message}`);
    }
    if (left() <= 0) return false;
    await pause(LOOK_EVERY_MS);
  }
}
