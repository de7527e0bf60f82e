/** The types of the stock book: levels, reservations, operations and their outcomes. */
import type { Failure } from '../shared/failure.ts';
import type { Cents } from '../shared/money.ts';

/** The maximum stock of a product, in units. */
export const MAX_STOCK = Number.MAX_SAFE_INTEGER;

/** The stock of one product. `reserved` never exceeds `quantity`; both are whole units. */
export interface StockLevel {
  readonly productId: number;
  readonly price: Cents;
  quantity: number;
  reserved: number;
}

/** The items of an order: one entry per product, ascending by product id. */
export interface OrderLines {
  readonly productIds: readonly number[];
  readonly quantities: readonly number[];
}

/** HELD stock is reserved, CONSUMED stock has left; RELEASED and REFUSED hold nothing and are kept to answer repeats. */
export type ReservationStatus = 'HELD' | 'CONSUMED' | 'RELEASED' | 'REFUSED';

/** The reservation of an order; an order has at most one. */
export interface Reservation extends OrderLines {
  readonly orderId: number;
  status: ReservationStatus;
  /** The price of each line at the time of reservation; empty unless stock was held for the order. */
  readonly prices: readonly Cents[];
  /** Why the order was REFUSED: the short or unknown products; empty when its total was too large. */
  readonly unavailable: readonly number[];
}

export type OrderOperation = { kind: 'reserve' | 'release' | 'consume'; orderId: number; lines: OrderLines };
export type StockOperation = OrderOperation | { kind: 'add'; productId: number; amount: number };

/** The stock as read from the store: every existing product and reservation that the batch refers to. */
export interface StockBook {
  readonly products: ReadonlyMap<number, StockLevel>;
  readonly reservations: ReadonlyMap<number, Reservation>;
}

/** The outcome of an order operation. `held` is the priced reservation of a successful reserve. */
export interface OrderOutcome {
  success: boolean;
  message: string;
  unavailableProducts: readonly number[];
  held?: Reservation;
}

/** The outcome of an addition: the new level. */
export interface LevelOutcome {
  level: Readonly<StockLevel>;
}

/** The decision on one operation. Inventory turns it into the `StockReply` that peers receive. */
export type StockOutcome = OrderOutcome | LevelOutcome | Failure;

/** Merges the lines of the same product and sorts them by product id. */
export function orderLines(items: readonly { productId: number; quantity: number }[]): OrderLines {
  const productIds: number[] = [];
  const quantities: number[] = [];
  let last = 0;
  for (const { productId, quantity } of items) {
    if (productId <= last) return sortedLines(items);
    productIds.push(productId);
    quantities.push(quantity);
    last = productId;
  }
  return { productIds, quantities };
}

function sortedLines(items: readonly { productId: number; quantity: number }[]): OrderLines {
  const sums = new Map<number, number>();
  for (const { productId, quantity } of items) sums.set(productId, (sums.get(productId) ?? 0) + quantity);
  const productIds = [...sums.keys()].toSorted((a, b) => a - b);
  return { productIds, quantities: productIds.map((id) => sums.get(id) as number) };
}
