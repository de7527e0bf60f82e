/** Stock admission as promises about every possible batch. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { admit } from '../../machines/stock/stock.admission.ts';
import { type OrderOutcome, orderLines } from '../../machines/stock/stock.book.ts';
import { written, runBatches, levels, ledger, seen, items, operations, books } from '../support/stock-books.ts';

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

test('a batch is decided as its operations would be one by one, however it is split', () => {
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

test('a product is written once per batch, and only if its stock has changed', () => {
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

test('the input book is not modified', () => {
  fc.assert(
    fc.property(books, operations, (before, batch) => {
      const { book } = runBatches(before, [batch]);
      const copy = structuredClone(book);
      admit(book, batch);
      expect(book).toEqual(copy);
    }),
  );
});
