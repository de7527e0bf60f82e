/** Money is exact: read, added and written without a trace of binary floating point. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatMoney, isMoney, MAX_CENTS, moneyToNumber, parseMoney, totalOf } from '../../machines/shared/money.ts';

const cents = fc.bigInt({ min: 0n, max: MAX_CENTS });

test('an amount survives being written for the database and read back', () => {
  fc.assert(fc.property(fc.bigInt({ min: -MAX_CENTS, max: MAX_CENTS }), (c) => parseMoney(formatMoney(c)) === c));
});

test('every amount that the column can hold survives as a JSON number', () => {
  fc.assert(
    fc.property(cents, (c) => {
      const number = JSON.parse(JSON.stringify(moneyToNumber(c))) as number;
      expect(isMoney(number)).toBe(true);
      expect(parseMoney(String(number))).toBe(c);
    }),
  );
});

test('a total is the sum of its lines to the cent, in any order', () => {
  const lines = fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 1_000_000_000 }), price: cents }));
  fc.assert(
    fc.property(lines, (all) => {
      let sum = 0n;
      for (const { quantity, price } of all) sum += BigInt(quantity) * price;
      expect(totalOf(all)).toBe(sum);
      expect(totalOf(all.toReversed())).toBe(sum);
    }),
  );
});

test('amounts that binary floating point gets wrong are exact', () => {
  expect(parseMoney('0.1') + parseMoney('0.2')).toBe(parseMoney('0.3'));
  expect(totalOf([{ quantity: 3, price: parseMoney('1.10') }])).toBe(330n);
  expect(formatMoney(totalOf([{ quantity: 1_000_000, price: parseMoney('4.35') }]))).toBe('4350000.00');
});

test('amounts are written with two decimals, whatever their size', () => {
  expect([0n, 5n, 50n, 100n, 1990n, -5n, MAX_CENTS].map(formatMoney)).toEqual([
    '0.00',
    '0.05',
    '0.50',
    '1.00',
    '19.90',
    '-0.05',
    '9999999999.99',
  ]);
});

test('zeros past the second decimal are read, other digits are not', () => {
  expect(parseMoney('19.9000')).toBe(1990n);
  for (const text of ['19.999', '', '.', '1.', '.5', '1,50', '1e3', ' 1', '0x10', 'NaN', '--1']) {
    expect(() => parseMoney(text)).toThrow(RangeError);
  }
});

test('a price is a number from 0 to the largest amount with at most two decimals, and nothing else', () => {
  for (const price of [0, 0.01, 0.1, 1, 19.99, 9_999_999_999.99]) expect(isMoney(price)).toBe(true);
  for (const price of [-0.01, 0.001, 1.005, 1e-7, 10_000_000_000, Number.NaN, Infinity, '1', null, undefined, 1n]) {
    expect(isMoney(price)).toBe(false);
  }
});
