/** A cursor brings back the place it was made for, and no other text brings back any. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ValidationFailed } from '../../machines/shared/failure.ts';
import { decodeCursor, encodeCursor } from '../../mixins/database/cursor.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');

test('a cursor decodes to the place it was made for', () => {
  const id = fc.maxSafeNat();
  const place = fc.oneof(
    fc.tuple(id),
    fc.tuple(
      fc.integer({ min: 0, max: 1_000_000_000_000 }).map((n) => n / 100),
      id,
    ),
  );
  fc.assert(
    fc.property(place, (numbers) => expect(decodeCursor(encodeCursor(numbers), numbers.length)).toEqual(numbers)),
  );
});

test('cursors of earlier versions are still accepted', () => {
  expect(decodeCursor('WzExNTMxMzY1Njc4OTMxMl0', 1)).toEqual([115313656789312]);
  expect(decodeCursor('cHJvZHVjdCAy', 1)).toEqual([2]);
});

test.each([
  ['nothing', ''],
  ['noise', 'nonsense'],
  ['a place of another list', encodeCursor([1, 2])],
  ['a negative id', base64url('[-1]')],
  ['an id that is not whole', base64url('[1.5]')],
  ['an id past 2^53', base64url('product 9999999999999999')],
  ['text', base64url('["1"]')],
  ['null', base64url('[null]')],
  ['an object', base64url('{"0":1,"length":1}')],
])('%s is refused as a fault of the cursor', (_what, cursor) => {
  expect(() => decodeCursor(cursor, 1)).toThrow(ValidationFailed);
});
