/** Stock admission: decides a batch of reserves, releases, consumes and additions in order of arrival. */
import { NotFound, OrderIdReused, ValidationFailed, type Failure } from '../shared/failure.ts';
import { type Cents, MAX_CENTS } from '../shared/money.ts';
import {
  type LevelOutcome,
  MAX_STOCK,
  type OrderOutcome,
  type OrderLines,
  type OrderOperation,
  type Reservation,
  type ReservationStatus,
  type StockOutcome,
  type StockBook,
  type StockLevel,
  type StockOperation,
} from './stock.book.ts';

/** The answers, in the order of the operations, and what to write to make them take effect. */
export interface Admission {
  answers: StockOutcome[];
  products: StockLevel[];
  created: Reservation[];
  /** Reservations from the book whose status changed. */
  moved: Reservation[];
}

/**
 * Decides a batch in order of arrival. An order gets all its lines or none; no level goes below zero; a repeated
 * operation gets the first answer again; a release that arrives before its reserve wins. Does not modify the book.
 */
export function admit(book: StockBook, operations: readonly StockOperation[]): Admission {
  const batch = new Batch(book);
  const answers = operations.map((operation) => batch.apply(operation));
  return { answers, products: batch.changedProducts(), ...batch.changedReservations() };
}

/** The message for an order refused because of these products, or because of its total when the list is empty. */
export function refusalMessage(unavailable: readonly number[]): string {
  if (unavailable.length === 0) return 'The order total exceeds 9999999999.99';
  if (unavailable.length === 1) return `Product ID ${unavailable[0]} has insufficient stock`;
  const more = unavailable.length - 10;
  return `Product IDs ${unavailable.slice(0, 10).join(', ')}${more > 0 ? ` and ${more} more` : ''} have insufficient stock`;
}

/** The changes of one batch on top of a book. Copies what it changes, so a batch that fails to commit has no effect. */
class Batch {
  readonly #book: StockBook;
  readonly #products = new Map<number, StockLevel>();
  readonly #reservations = new Map<number, Reservation>();

  constructor(book: StockBook) {
    this.#book = book;
  }

  apply(operation: StockOperation): StockOutcome {
    if (operation.kind === 'add') return this.#add(operation.productId, operation.amount);
    const known = this.#reservation(operation.orderId);
    if (known && known.status !== 'RELEASED' && !sameLines(known, operation.lines)) {
      return new OrderIdReused(`Order ${operation.orderId} already has a reservation with different items`, {
        orderId: operation.orderId,
        status: known.status,
      });
    }
    if (operation.kind === 'reserve') return known ? repeatedReserve(known) : this.#reserve(operation);
    if (operation.kind === 'release') return this.#release(operation, known);
    return this.#consume(operation, known);
  }

  changedProducts(): StockLevel[] {
    const changed: StockLevel[] = [];
    for (const level of this.#products.values()) {
      const before = this.#book.products.get(level.productId) as StockLevel;
      // A reserve and its release in one batch cancel out.
      if (level.quantity === before.quantity && level.reserved === before.reserved) continue;
      changed.push(level);
    }
    return changed;
  }

  changedReservations(): { created: Reservation[]; moved: Reservation[] } {
    const created: Reservation[] = [];
    const moved: Reservation[] = [];
    for (const reservation of this.#reservations.values()) {
      if (this.#book.reservations.has(reservation.orderId)) moved.push(reservation);
      else created.push(reservation);
    }
    return { created, moved };
  }

  #level(productId: number): Readonly<StockLevel> | undefined {
    return this.#products.get(productId) ?? this.#book.products.get(productId);
  }

  /** The batch's own copy of a level, to be changed; the product must exist. */
  #own(productId: number): StockLevel {
    let level = this.#products.get(productId);
    if (!level) {
      level = { ...(this.#book.products.get(productId) as StockLevel) };
      this.#products.set(productId, level);
    }
    return level;
  }

  #reservation(orderId: number): Readonly<Reservation> | undefined {
    return this.#reservations.get(orderId) ?? this.#book.reservations.get(orderId);
  }

  #record(
    { orderId, lines }: OrderOperation,
    status: ReservationStatus,
    { prices = [], unavailable = [] }: { prices?: Cents[]; unavailable?: number[] } = {},
  ): Reservation {
    const { productIds, quantities } = lines;
    const reservation: Reservation = { orderId, status, productIds, quantities, prices, unavailable };
    this.#reservations.set(orderId, reservation);
    return reservation;
  }

  #move(reservation: Readonly<Reservation>, status: ReservationStatus): void {
    this.#reservations.set(reservation.orderId, { ...reservation, status });
  }

  #reserve(operation: OrderOperation): OrderOutcome {
    const { productIds, quantities } = operation.lines;
    const prices: Cents[] = [];
    const unavailable: number[] = [];
    let total = 0n;
    for (let i = 0; i < productIds.length; i++) {
      const productId = productIds[i] as number;
      const quantity = quantities[i] as number;
      const level = this.#level(productId);
      if (!level || level.quantity - level.reserved < quantity) {
        unavailable.push(productId);
        continue;
      }
      prices.push(level.price);
      total += level.price * BigInt(quantity);
    }
    if (unavailable.length > 0 || total > MAX_CENTS)
      return refused(this.#record(operation, 'REFUSED', { unavailable }));
    for (let i = 0; i < productIds.length; i++) this.#own(productIds[i] as number).reserved += quantities[i] as number;
    return reserved(this.#record(operation, 'HELD', { prices }));
  }

  #release(operation: OrderOperation, known: Readonly<Reservation> | undefined): OrderOutcome {
    if (!known) this.#record(operation, 'RELEASED');
    else if (known.status === 'CONSUMED') {
      return failure(`The reservation of order ${known.orderId} is already consumed and cannot be released`);
    } else if (known.status === 'HELD') {
      for (let i = 0; i < known.productIds.length; i++) {
        this.#own(known.productIds[i] as number).reserved -= known.quantities[i] as number;
      }
      this.#move(known, 'RELEASED');
    }
    return { success: true, message: 'Reservation released', unavailableProducts: [] };
  }

  #consume(operation: OrderOperation, known: Readonly<Reservation> | undefined): OrderOutcome {
    if (!known) return failure(`Order ${operation.orderId} has no reservation to consume`);
    if (known.status === 'RELEASED' || known.status === 'REFUSED') {
      return failure(
        `The reservation of order ${known.orderId} is ${known.status.toLowerCase()} and cannot be consumed`,
      );
    }
    if (known.status === 'HELD') {
      for (let i = 0; i < known.productIds.length; i++) {
        const level = this.#own(known.productIds[i] as number);
        level.quantity -= known.quantities[i] as number;
        level.reserved -= known.quantities[i] as number;
      }
      this.#move(known, 'CONSUMED');
    }
    return { success: true, message: 'Reservation consumed', unavailableProducts: [] };
  }

  #add(productId: number, amount: number): LevelOutcome | Failure {
    const before = this.#level(productId);
    if (!before) return new NotFound(`Product ${productId} does not exist`);
    if (amount > MAX_STOCK - before.quantity) {
      return ValidationFailed.of([
        {
          field: 'amount',
          type: 'stockMax',
          message: `The 'amount' field must be at most ${MAX_STOCK - before.quantity}: a product holds at most ${MAX_STOCK} units`,
        },
      ]);
    }
    const level = this.#own(productId);
    level.quantity += amount;
    return { level: { ...level } };
  }
}

function repeatedReserve(known: Readonly<Reservation>): OrderOutcome {
  if (known.status === 'REFUSED') return refused(known);
  if (known.status === 'RELEASED')
    return failure(`Order ${known.orderId} was already released and can no longer be reserved`);
  return reserved(known);
}

function reserved(held: Reservation): OrderOutcome {
  return { success: true, message: 'Stock reserved', unavailableProducts: [], held };
}

function refused({ unavailable }: Readonly<Reservation>): OrderOutcome {
  return { success: false, message: refusalMessage(unavailable), unavailableProducts: unavailable };
}

function failure(message: string): OrderOutcome {
  return { success: false, message, unavailableProducts: [] };
}

function sameLines(a: OrderLines, b: OrderLines): boolean {
  if (a.productIds.length !== b.productIds.length) return false;
  for (let i = 0; i < a.productIds.length; i++) {
    if (a.productIds[i] !== b.productIds[i] || a.quantities[i] !== b.quantities[i]) return false;
  }
  return true;
}
