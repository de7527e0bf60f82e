/** The checker: every promise held against the books. A new one is a file beside this one and a line here. */
import type { Books } from '../books.ts';
import { acknowledged } from './acknowledged.ts';
import { answers } from './answers.ts';
import { atRest } from './at-rest.ts';
import { conduct } from './conduct.ts';
import { events } from './events.ts';
import { histories } from './histories.ts';
import { nothingLost } from './nothing-lost.ts';
import { oneOrderAKey } from './one-order-a-key.ts';
import type { Check, Violation } from './promise.ts';
import { reconciliation } from './reconciliation.ts';
import { serving } from './serving.ts';
import { shipments } from './shipments.ts';
import { stock } from './stock.ts';
import { takeovers } from './takeovers.ts';

export const CHECKS: readonly Check[] = [
  nothingLost,
  oneOrderAKey,
  acknowledged,
  histories,
  stock,
  shipments,
  events,
  atRest,
  answers,
  reconciliation,
  conduct,
  serving,
  takeovers,
];

/** Everything in the books that contradicts a promise. */
export function check(books: Books): Violation[] {
  return CHECKS.flatMap(({ promise, check: find }) =>
    Array.from(find(books), (finding): Violation => ({ promise, ...finding })),
  );
}
