/** Stock admission as promises about every possible batch. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OrderIdReused, ValidationFailed, Failure } from '../../machines/shared/failure.ts';
import { type Admission, admit } from '../../machines/stock/stock.admission.ts';
import {
  MAX_STOCK,
  type OrderOutcome,
  orderLines,
  type OrderOperation,
  type Reservation,
  type StockBook,
  type StockLevel,
  type StockOperation,
} from '../../machines/stock/stock.book.ts';

type Items = { productId: number; quantity: number }[];

/** A book with these quantities for products 1, 2, …, all at 10.00. */
function bookOf(...quantities: number[]): StockBook {
  const levels = quantities.map(
    (quantity, index): StockLevel => ({ productId: index + 1, price: 1000n, quantity, reserved: 0 }),
  );
  return { products: new Map(levels.map((level) => [level.productId, level])), reservations: new Map() };
}

function order(kind: OrderOperation['kind'], orderId: number, ...items: [productId: number, quantity: number][]) {
  return { kind, orderId, lines: orderLines(items.map(([productId, quantity]) => ({ productId, quantity }))) };
}

/** The book after what an admission asks to write is written. */
function written(book: StockBook, { products, created, moved }: Admission): StockBook {
  return {
    products: new Map([...book.products, ...products.map((level) => [level.productId, level] as const)]),
    reservations: new Map([
      ...book.reservations,
      ...[...created, ...moved].map((reservation) => [reservation.orderId, reservation] as const),
    ]),
  };
}

function runBatches(book: StockBook, batches: readonly (readonly StockOperation[])[]) {
  const answers: Admission['answers'] = [];
  let now = book;
  for (const batch of batches) {
    const admission = admit(now, batch);
    answers.push(...admission.answers);
    now = written(now, admission);
  }
  return { answers, book: now };
}

const levels = (book: StockBook) => [...book.products.values()].map(({ quantity, reserved }) => [quantity, reserved]);
const ledger = (book: StockBook) => [...book.reservations].toSorted(([a], [b]) => a - b);

/** What is compared: errors by type, and of an order's answer all that its caller sees. */
function seen(answer: Admission['answers'][number]): unknown {
  if (answer instanceof Failure) return answer.type;
  if ('level' in answer) return { quantity: answer.level.quantity, reserved: answer.level.reserved };
  return { ...answer, held: answer.held && [answer.held.productIds, answer.held.quantities, answer.held.prices] };
}

const items: fc.Arbitrary<Items> = fc.array(
  fc.record({ productId: fc.integer({ min: 1, max: 5 }), quantity: fc.integer({ min: 1, max: 6 }) }),
  { minLength: 1, maxLength: 4 },
);
const itemsOfOrder = fc.array(items, { minLength: 8, maxLength: 8 });
/** Orders 0 to 7, each nearly always with its own items, and additions between them. */
const operations = itemsOfOrder.chain((own) =>
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
const books = fc.array(fc.nat({ max: 12 }), { minLength: 4, maxLength: 4 }).map((quantities) => bookOf(...quantities));

test('stock never goes below zero, and what is reserved is exactly what the held reservations say', () => {
  fc.assert(
    fc.property(books, operations, (before, batch) => {
      const { book } = runBatches(before, [batch]);
      for (const level of book.products.values()) {
        let held = 0;
        for (const reservation of book.reservations.values()) {
          if (reservation.status !== 'HELD') continue;
          reservation.productIds.forEach((id, i) => {
            if (id === level.productId) held += reservation.quantities[i] as number;
          });
        }
        expect(level.reserved).toBe(held);
        expect(level.reserved).toBeGreaterThanOrEqual(0);
        expect(level.quantity).toBeGreaterThanOrEqual(level.reserved);
      }
    }),
  );
});

test('stock is only made by additions and only lost by consumption', () => {
  fc.assert(
    fc.property(books, operations, (before, batch) => {
      const { book } = runBatches(before, [batch]);
      for (const { productId, quantity } of before.products.values()) {
        let expected = quantity;
        for (const op of batch) if (op.kind === 'add' && op.productId === productId) expected += op.amount;
        for (const { status, productIds, quantities } of book.reservations.values()) {
          if (status === 'CONSUMED') expected -= quantities[productIds.indexOf(productId)] ?? 0;
        }
        expect(book.products.get(productId)?.quantity).toBe(expected);
      }
    }),
  );
});

test('an order gets all its items or none, and a refusal names exactly the products that were short', () => {
  fc.assert(
    fc.property(books, items, (before, asked) => {
      const lines = orderLines(asked);
      const { answers, products, created } = admit(before, [{ kind: 'reserve', orderId: 1, lines }]);
      const short = lines.productIds.filter(
        (id, i) => (before.products.get(id)?.quantity ?? -1) < (lines.quantities[i] as number),
      );
      const answer = answers[0] as OrderOutcome;
      expect(answer.success).toBe(short.length === 0);
      expect(answer.unavailableProducts).toEqual(short);
      expect(products.map((level) => [level.productId, level.reserved])).toEqual(
        short.length === 0 ? lines.productIds.map((id, i) => [id, lines.quantities[i]]) : [],
      );
      expect(created.map((reservation) => reservation.status)).toEqual([short.length === 0 ? 'HELD' : 'REFUSED']);
    }),
  );
});

test('a batch is decided as its operations would be one after the other, however it is cut', () => {
  fc.assert(
    fc.property(books, operations, fc.nat({ max: 40 }), (before, batch, cut) => {
      const whole = runBatches(before, [batch]);
      const single = runBatches(
        before,
        batch.map((operation) => [operation]),
      );
      const halves = runBatches(before, [batch.slice(0, cut), batch.slice(cut)]);
      expect(whole.answers.map(seen)).toEqual(single.answers.map(seen));
      expect(halves.answers.map(seen)).toEqual(single.answers.map(seen));
      expect(levels(whole.book)).toEqual(levels(single.book));
      expect(ledger(whole.book)).toEqual(ledger(single.book));
    }),
  );
});

test('a repeated operation gets the same answer and changes nothing', () => {
  fc.assert(
    fc.property(books, operations, (before, batch) => {
      const { book } = runBatches(before, [batch.filter((operation) => operation.kind === 'reserve')]);
      for (const operation of batch) {
        if (operation.kind === 'add') continue;
        const first = admit(book, [operation]);
        const again = admit(written(book, first), [operation]);
        expect(again.answers.map(seen)).toEqual(first.answers.map(seen));
        expect([again.products, again.created, again.moved]).toEqual([[], [], []]);
      }
    }),
  );
});

test('a product is written once a batch, and only if its stock is another afterwards', () => {
  fc.assert(
    fc.property(books, operations, (before, batch) => {
      const { products } = admit(before, batch);
      expect(new Set(products.map((level) => level.productId)).size).toBe(products.length);
      for (const { productId, quantity, reserved } of products) {
        expect(before.products.get(productId)).not.toMatchObject({ quantity, reserved });
      }
    }),
  );
});

test('the book that was read is left as it is', () => {
  fc.assert(
    fc.property(books, operations, (before, batch) => {
      const { book } = runBatches(before, [batch]);
      const copy = structuredClone(book);
      admit(book, batch);
      expect(book).toEqual(copy);
    }),
  );
});

test('of thirty buyers of five units the first five get the twenty-five there are', () => {
  const batch = Array.from({ length: 30 }, (_, i) => order('reserve', i + 1, [1, 5]));
  const { answers } = admit(bookOf(25), batch);
  expect(answers.map((answer) => (answer as OrderOutcome).success)).toEqual(batch.map((_, i) => i < 5));
});

test('an order that does not fit does not stand in the way of a later one that does', () => {
  const { answers } = admit(bookOf(10), [order('reserve', 1, [1, 11]), order('reserve', 2, [1, 10])]);
  expect(answers.map((answer) => (answer as OrderOutcome).success)).toEqual([false, true]);
});

test('a release that comes before its reserve wins, in one batch and across batches', () => {
  const release = order('release', 1, [1, 1]);
  const reserve = order('reserve', 1, [1, 1]);
  for (const batches of [[[release, reserve]], [[release], [reserve]]]) {
    const { answers, book } = runBatches(bookOf(5), batches);
    expect(answers[0]).toMatchObject({ success: true });
    expect(answers[1]).toEqual({
      success: false,
      message: 'Order 1 is released and cannot be reserved any more',
      unavailableProducts: [],
    });
    expect(book.products.get(1)?.reserved).toBe(0);
  }
});

test('a reservation that is consumed cannot be released, and one that is not held cannot be consumed', () => {
  const { answers } = admit(bookOf(5), [
    order('reserve', 1, [1, 1]),
    order('consume', 1, [1, 1]),
    order('release', 1, [1, 1]),
    order('consume', 2, [1, 1]),
    order('reserve', 3, [1, 9]),
    order('consume', 3, [1, 9]),
    order('release', 4, [1, 1]),
    order('consume', 4, [1, 1]),
  ]);
  expect(answers.map((answer) => (answer as OrderOutcome).success)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    true,
    false,
  ]);
});

test('an order id with other items is a conflict, and changes nothing', () => {
  const { answers, products } = admit(bookOf(5, 5), [
    order('reserve', 1, [1, 1]),
    order('reserve', 1, [1, 2]),
    order('release', 1, [2, 1]),
    order('consume', 1, [1, 2]),
  ]);
  expect(answers.slice(1).every((answer) => answer instanceof OrderIdReused)).toBe(true);
  expect(products.map(({ productId, reserved }) => [productId, reserved])).toEqual([[1, 1]]);
});

test('lines of the same product are added up, in whatever order they come', () => {
  const { answers } = admit(bookOf(5, 5), [
    order('reserve', 1, [2, 1], [1, 3], [2, 2]),
    order('reserve', 1, [1, 3], [2, 3]),
  ]);
  for (const answer of answers) {
    expect((answer as OrderOutcome).held).toMatchObject({
      productIds: [1, 2],
      quantities: [3, 3],
      prices: [1000n, 1000n],
    });
  }
  expect(admit(bookOf(5), [order('reserve', 1, [1, 3], [1, 3])]).answers[0]).toMatchObject({ success: false });
});

test('a repeated reserve keeps the price it was made at', () => {
  const reserve = order('reserve', 1, [1, 1]);
  const { book } = runBatches(bookOf(5), [[reserve]]);
  const dearer = new Map([...book.products].map(([id, level]) => [id, { ...level, price: 2000n }]));
  const { answers } = admit({ ...book, products: dearer }, [reserve]);
  expect(((answers[0] as OrderOutcome).held as Reservation).prices).toEqual([1000n]);
});

test('an order whose total is larger than any amount is refused and names no product', () => {
  const { answers } = admit(bookOf(MAX_STOCK), [order('reserve', 1, [1, 1_000_000_000])]);
  expect(answers).toEqual([
    { success: false, message: 'The total of the order is larger than 9999999999.99', unavailableProducts: [] },
  ]);
});

test('an addition past the bound is a fault of its amount, and the stock stays', () => {
  const { answers, products } = admit(bookOf(MAX_STOCK - 1), [{ kind: 'add', productId: 1, amount: 2 }]);
  expect(answers[0]).toBeInstanceOf(ValidationFailed);
  expect((answers[0] as ValidationFailed).data).toMatchObject({ details: [{ field: 'amount' }] });
  expect(products).toEqual([]);
});

function message(...ids: number[]): string {
  const asked = order('reserve', 1, ...ids.map((id): [number, number] => [id, 1]));
  return (admit(bookOf(), [asked]).answers[0] as OrderOutcome).message;
}

test('the message names one product, or many, and never hundreds', () => {
  expect(message(1)).toBe('Product ID 1 has insufficient stock');
  expect(message(1, 2)).toBe('Product IDs 1, 2 have insufficient stock');
  expect(message(...Array.from({ length: 12 }, (_, i) => i + 1))).toBe(
    'Product IDs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more have insufficient stock',
  );
});
