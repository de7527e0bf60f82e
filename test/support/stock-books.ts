/** Books of stock for tests of their admission: some by hand, and every possible one. */
import fc from 'fast-check';
import { Failure } from '../../machines/shared/failure.ts';
import { type Admission, admit } from '../../machines/stock/stock.admission.ts';
import {
  orderLines,
  type OrderOperation,
  type StockBook,
  type StockLevel,
  type StockOperation,
} from '../../machines/stock/stock.book.ts';

export type Items = { productId: number; quantity: number }[];

/** A book with these quantities for products 1, 2, …, all at 10.00. */
export function bookOf(...quantities: number[]): StockBook {
  const levels = quantities.map(
    (quantity, index): StockLevel => ({ productId: index + 1, price: 1000n, quantity, reserved: 0 }),
  );
  return { products: new Map(levels.map((level) => [level.productId, level])), reservations: new Map() };
}

export function order(
  kind: OrderOperation['kind'],
  orderId: number,
  ...items: [productId: number, quantity: number][]
) {
  return { kind, orderId, lines: orderLines(items.map(([productId, quantity]) => ({ productId, quantity }))) };
}

/** The book after what an admission asks to write is written. */
export function written(book: StockBook, { products, created, moved }: Admission): StockBook {
  return {
    products: new Map([...book.products, ...products.map((level) => [level.productId, level] as const)]),
    reservations: new Map([
      ...book.reservations,
      ...[...created, ...moved].map((reservation) => [reservation.orderId, reservation] as const),
    ]),
  };
}

export function runBatches(book: StockBook, batches: readonly (readonly StockOperation[])[]) {
  const answers: Admission['answers'] = [];
  let now = book;
  for (const batch of batches) {
    const admission = admit(now, batch);
    answers.push(...admission.answers);
    now = written(now, admission);
  }
  return { answers, book: now };
}

export const levels = (book: StockBook) =>
  [...book.products.values()].map(({ quantity, reserved }) => [quantity, reserved]);
export const ledger = (book: StockBook) => [...book.reservations].toSorted(([a], [b]) => a - b);

/** What is compared: the type of errors, and the part of an order's answer that its caller sees. */
export function seen(answer: Admission['answers'][number]): unknown {
  if (answer instanceof Failure) return answer.type;
  if ('level' in answer) return { quantity: answer.level.quantity, reserved: answer.level.reserved };
  return { ...answer, held: answer.held && [answer.held.productIds, answer.held.quantities, answer.held.prices] };
}

export const items: fc.Arbitrary<Items> = fc.array(
  fc.record({ productId: fc.integer({ min: 1, max: 5 }), quantity: fc.integer({ min: 1, max: 6 }) }),
  { minLength: 1, maxLength: 4 },
);
export const itemsOfOrder = fc.array(items, { minLength: 8, maxLength: 8 });
/** Orders 0 to 7, each nearly always with its own items, and additions between them. */
export const operations = itemsOfOrder.chain((own) =>
  fc.array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .tuple(
            fc.constantFrom('reserve', 'reserve', 'release', 'consume'),
            fc.nat({ max: 7 }),
            fc.option(items, { freq: 9 }),
          )
          .map(([kind, orderId, other]): StockOperation => {
            const asked = kind === 'reserve' && orderId === 7 && other ? other : (own[orderId] as Items);
            return { kind, orderId, lines: orderLines(asked) };
          }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('add' as const),
          productId: fc.integer({ min: 1, max: 5 }),
          amount: fc.integer({ min: 1, max: 5 }),
        }),
      },
    ),
    { maxLength: 40 },
  ),
);
/** Product 5 is unknown. */
export const books = fc
  .array(fc.nat({ max: 12 }), { minLength: 4, maxLength: 4 })
  .map((quantities) => bookOf(...quantities));
