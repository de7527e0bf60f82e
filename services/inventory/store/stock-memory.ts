/** A node's cache of stock levels, so that an ordinary batch of reservations is decided without reading first. */
import type { StockBook, StockLevel, StockOperation } from '../../../machines/stock/stock.book.ts';

/** The maximum number of cached products; beyond it the cache is cleared. */
const MAX_PRODUCTS = 50_000;
/** The maximum number of batches that are read for after a wrong guess; doubles with every consecutive one. */
const MAX_DOUBT = 64;

/**
 * Levels and prices as this node last saw them. Other nodes change them too, so a decision based on them is a guess: the
 * write fails unless the prices are unchanged and the stock suffices, and applies the change to the current levels.
 */
export class StockMemory {
  readonly #levels = new Map<number, StockLevel>();
  #wrong = 0;
  #doubt = 0;

  /** The book for a batch, if it can be guessed: reserves only, of cached products, assuming that all orders are new. */
  recall(operations: readonly StockOperation[]): StockBook | undefined {
    if (this.#doubt > 0) {
      this.#doubt--;
      return undefined;
    }
    for (const operation of operations) {
      if (operation.kind !== 'reserve') return undefined;
      for (const id of operation.lines.productIds) if (!this.#levels.has(id)) return undefined;
    }
    return { products: this.#levels, reservations: NONE };
  }

  /** Caches levels that were just read or written. */
  learn(levels: Iterable<StockLevel>): void {
    if (this.#levels.size > MAX_PRODUCTS) this.#levels.clear();
    for (const level of levels) this.#levels.set(level.productId, level);
  }

  /** Notes a right guess. */
  confirm(): void {
    this.#wrong = 0;
  }

  /** Notes a wrong guess: when nodes compete for a product, or it is sold out, reading first is faster. */
  forget(): void {
    this.#levels.clear();
    this.#doubt = Math.min(MAX_DOUBT, 2 ** this.#wrong++);
  }
}

const NONE: StockBook['reservations'] = new Map();
