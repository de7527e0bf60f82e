/** Stock admission, case by case: which orders get their stock, and which are refused. */
import { expect, test } from '@jest/globals';
import { OrderIdReused, ValidationFailed } from '../../machines/shared/failure.ts';
import { admit } from '../../machines/stock/stock.admission.ts';
import { MAX_STOCK, type OrderOutcome, type Reservation } from '../../machines/stock/stock.book.ts';
import { bookOf, order, runBatches } from '../support/stock-books.ts';

test('of thirty buyers of five units the first five get the twenty-five there are', () => {
  const batch = Array.from({ length: 30 }, (_, i) => order('reserve', i + 1, [1, 5]));
  const { answers } = admit(bookOf(25), batch);
  expect(answers.map((answer) => (answer as OrderOutcome).success)).toEqual(batch.map((_, i) => i < 5));
});

test('an order that does not fit does not block a later one that does', () => {
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
      message: 'Order 1 was already released and can no longer be reserved',
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

test('an order id with different items is a conflict, and changes nothing', () => {
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
    { success: false, message: 'The order total exceeds 9999999999.99', unavailableProducts: [] },
  ]);
});

test('an addition beyond the maximum is refused for its amount, and the stock is unchanged', () => {
  const { answers, products } = admit(bookOf(MAX_STOCK - 1), [{ kind: 'add', productId: 1, amount: 2 }]);
  expect(answers[0]).toBeInstanceOf(ValidationFailed);
  expect((answers[0] as ValidationFailed).data).toMatchObject({ details: [{ field: 'amount' }] });
  expect(products).toEqual([]);
});

function message(...ids: number[]): string {
  const asked = order('reserve', 1, ...ids.map((id): [number, number] => [id, 1]));
  return (admit(bookOf(), [asked]).answers[0] as OrderOutcome).message;
}

test('the message names one product, several, but never hundreds', () => {
  expect(message(1)).toBe('Product ID 1 has insufficient stock');
  expect(message(1, 2)).toBe('Product IDs 1, 2 have insufficient stock');
  expect(message(...Array.from({ length: 12 }, (_, i) => i + 1))).toBe(
    'Product IDs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more have insufficient stock',
  );
});
