/** The rules for texts, ids and counts that the services share. */
import { expect, test } from '@jest/globals';
import FastestValidator from 'fastest-validator';
import { anyText, countNumber, identifier, isStorable, text } from '../../mixins/params/params.ts';

// The package is CommonJS, and declares an ES default export that it does not have.
const Validator = FastestValidator as unknown as typeof FastestValidator.default;

const accepts = (rule: object, value: unknown): boolean =>
  new Validator({ haltOnFirstError: false }).compile({ field: rule })({ field: value }) === true;

test('a text is kept as it comes, spaces and other scripts included', () => {
  for (const value of ['a', ' a ', 'Straße 1\nКиев', '李 😀', 'x'.repeat(10)])
    expect(accepts(text(10), value)).toBe(value.length <= 10);
});

test('a text that is blank, too long or cannot be stored is refused', () => {
  for (const value of ['', ' ', '\n\t', 'x'.repeat(11), 'a\0', '\0', 'half \ud83d', '\udc00', 5, null, undefined]) {
    expect(accepts(text(10), value)).toBe(false);
  }
});

test('a text that may be empty is still refused when it cannot be stored', () => {
  expect(accepts(anyText(10), '')).toBe(true);
  expect(accepts(anyText(10), 'a\0')).toBe(false);
  expect(isStorable('\ud83d\ude00')).toBe(true);
  expect(isStorable('\ud83d')).toBe(false);
});

test('a long text with an invalid end is refused quickly', () => {
  const startedAt = performance.now();
  expect(accepts(text(10), `${'a'.repeat(1_000_000)}\0`)).toBe(false);
  expect(accepts(text(10), ' '.repeat(1_000_000))).toBe(false);
  // A pattern that goes back and forth would take minutes.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('an id is a whole number from 1 to 2^53 - 1, a count from 1 to its bound', () => {
  for (const value of [1, 2 ** 53 - 1]) expect(accepts(identifier, value)).toBe(true);
  for (const value of [0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1']) {
    expect(accepts(identifier, value)).toBe(false);
  }
  for (const value of [1, 7]) expect(accepts(countNumber(7), value)).toBe(true);
  for (const value of [0, 8, 1.5, '1']) expect(accepts(countNumber(7), value)).toBe(false);
});
