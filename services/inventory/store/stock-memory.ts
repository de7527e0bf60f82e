/** What a node remembers of its products, so that an ordinary batch of reservations is decided without reading first. */
import type { StockBook, StockLevel, StockOperation } from '../../../machines/stock/stock.book.ts';

/** Products remembered at most; past it everything is forgotten. */
const MAX_PRODUCTS = 50_000;
/** Batches that are read for after a guess was wrong, at most; it doubles with every wrong guess in a row. */
const MAX_DOUBT = 64;

/**
 * Levels and prices as this node last saw them. Other nodes change them too, so what is decided on them is a guess: the
 * write demands that prices are the same and that the stock suffices, and takes its own share of what is there then.
 */
export class StockMemory {
  readonly #levels = new Map<number, StockLevel>();
  #wrong = 0;
  #doubt = 0;

  /** The book for a batch, if it can be guessed: reservations only, of products that are remembered, for new orders. */
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

  /** What was read or written just now. */
  learn(levels: Iterable<StockLevel>): void {
    if (this.#levels.size > MAX_PRODUCTS) this.#levels.clear();
    for (const level of levels) this.#levels.set(level.productId, level);
  }

  /** A guess was right. */
  confirm(): void {
    this.#wrong = 0;
  }

  /** A guess was wrong: where nodes compete for a product, or it is sold out, reading first is faster. */
  forget(): void {
    this.#levels.clear();
    this.#doubt = Math.min(MAX_DOUBT, 2 ** this.#wrong++);
  }
}

const NONE: StockBook['reservations'] = new Map();
