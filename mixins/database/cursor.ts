/** Cursors: the end of a page as an opaque text, which the caller sends back to get the next page. */
import { ValidationFailed } from '../../machines/shared/failure.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/** The cursor for a place in a list: the sort values of the last item, followed by its id. */
export const encodeCursor = (place: readonly number[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/**
 * The `length` numbers that a cursor encodes, each from 0 to 2^53 - 1, the last one whole.
 * @throws ValidationFailed for a text that is not such a cursor
 */
export function decodeCursor(cursor: string, length: number): number[] {
  const place = placeIn(Buffer.from(cursor, 'base64url').toString());
  if (Array.isArray(place) && place.length === length && isPlace(place)) return place;
  throw ValidationFailed.of([
    { field: 'cursor', type: 'cursor', message: 'Invalid cursor: use the one of the previous page, or none' },
  ]);
}

/** Cursors of earlier versions consist of a word and an id, and clients may still use some. */
const WORD_AND_ID = /^[a-z]+ (\d{1,16})$/;

function placeIn(text: string): unknown {
  const earlier = WORD_AND_ID.exec(text);
  if (earlier) return [Number(earlier[1])];
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPlace(parts: unknown[]): parts is number[] {
  return (
    parts.every((part) => typeof part === 'number' && part >= 0 && part <= MAX) && Number.isSafeInteger(parts.at(-1))
  );
}
