/** What the shoppers did and the answers they got. An unknown outcome stays unknown. */

/** What was asked for. */
export type Operation = 'place' | 'cancel' | 'ship' | 'deliver' | 'parcel' | 'read' | 'addStock';

/**
 * `done` and `refused` are answers. `accepted` is a 503 that names an order: it exists, and goes on by itself.
 * `unknown`: it may have happened or not, or may happen later. `unsent`: nobody was there to hear it.
 */
export type Outcome = 'done' | 'accepted' | 'refused' | 'unknown' | 'unsent';

/** What an answer about an order has in it, more or less of it. */
export interface AnswerBody {
  orderId?: number;
  orderNumber?: string;
  status?: string;
  totalPrice?: number | null;
  trackingNumber?: string | null;
  error?: string;
  message?: string;
}

/** One request and what came of it. */
export interface Entry {
  readonly operation: Operation;
  /** Milliseconds since the round began. */
  readonly at: number;
  tookMs: number;
  outcome: Outcome;
  /** HTTP status; null when there was no answer. */
  status: number | null;
  body: AnswerBody | null;
  /** Why there was no answer. */
  failure?: string;
  /** The order it is about, when that is known beforehand. */
  readonly orderId?: number;
  readonly submission?: Submission;
  readonly product?: { id: number; amount: number };
  /** For a read: the furthest status that had been seen or acknowledged before it was sent. */
  readonly knownBefore?: string | undefined;
}

/** An order as a shopper wants it. Its customer places nothing else, so its orders can be found by the customer. */
export interface Submission {
  readonly customerId: number;
  readonly key: string | null;
  readonly items: readonly { productId: number; quantity: number }[];
}

export class Log {
  readonly entries: Entry[] = [];
  readonly #began = performance.now();

  /** Milliseconds since the round began. */
  now(): number {
    return performance.now() - this.#began;
  }

  add(entry: Entry): void {
    this.entries.push(entry);
  }

  count(outcome: Outcome): number {
    return this.entries.reduce((sum, entry) => sum + (entry.outcome === outcome ? 1 : 0), 0);
  }

  /** Orders that some answer has named, with all the numbers they were given. */
  namedOrders(): Map<number, Set<string>> {
    const named = new Map<number, Set<string>>();
    for (const { body } of this.entries) {
      if (body?.orderId === undefined) continue;
      const numbers = named.get(body.orderId) ?? new Set();
      if (body.orderNumber !== undefined) numbers.add(body.orderNumber);
      named.set(body.orderId, numbers);
    }
    return named;
  }
}
