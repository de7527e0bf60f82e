/** What every check is: one promise, held against the books. */
import type { Books } from '../books.ts';

export interface Violation {
  /** Which promise is broken, as `Check.promise` says it. */
  promise: string;
  what: string;
  orderId?: number;
}

export interface Check {
  /** The promise, as one sentence. */
  readonly promise: string;
  /** What contradicts it. */
  check(this: void, books: Books): Iterable<Finding>;
}

export type Finding = Omit<Violation, 'promise'>;
