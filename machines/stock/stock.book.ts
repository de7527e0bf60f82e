/** The words of the stock book: levels, reservations, what may be asked of them and how it is answered. */
import type { Failure } from '../shared/failure.ts';
import type { Cents } from '../shared/money.ts';

/** The most units the book counts of one product. */
export const MAX_STOCK = Number.MAX_SAFE_INTEGER;

/** What is known of one product's stock. `reserved` never exceeds `quantity`; both are whole units. */
export interface StockLevel {
  readonly productId: number;
  readonly price: Cents;
  quantity: number;
  reserved: number;
}

/** What an order asks for: one entry a product, ascending by product id. */
export interface OrderLines {
  readonly productIds: readonly number[];
  readonly quantities: readonly number[];
}

/** HELD stock is promised, CONSUMED stock has left; RELEASED and REFUSED hold nothing and are remembered for repeats. */
export type ReservationStatus = 'HELD' | 'CONSUMED' | 'RELEASED' | 'REFUSED';

/** The one entry an order has in the book. */
export interface Reservation extends OrderLines {
  readonly orderId: number;
  status: ReservationStatus;
  /** The price of each line when it was reserved; empty unless stock was held for the order. */
  readonly prices: readonly Cents[];
  /** Why a REFUSED one was refused: the products that were short or unknown; none when its total was too large. */
  readonly unavailable: readonly number[];
}

export type OrderOperation = { kind: 'reserve' | 'release' | 'consume'; orderId: number; lines: OrderLines };
export type StockOperation = OrderOperation | { kind: 'add'; productId: number; amount: number };

/** The stock as it was read: every product the batch names that exists, every reservation of its orders. */
export interface StockBook {
  readonly products: ReadonlyMap<number, StockLevel>;
  readonly reservations: ReadonlyMap<number, Reservation>;
}

/** What an order comes to. `held` carries the priced lines of a successful reserve. */
export interface OrderOutcome {
  success: boolean;
  message: string;
  unavailableProducts: readonly number[];
  held?: Reservation;
}

/** What an addition comes to: the level after it. */
export interface LevelOutcome {
  level: Readonly<StockLevel>;
}

/** What admission decides of one operation; what peers are answered is the `StockReply` of inventory. */
export type StockOutcome = OrderOutcome | LevelOutcome | Failure;

/** Adds up the lines of the same product and puts them in ascending order. */
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
