/** Where a page of a list ends, as a text that a caller hands back to get the next one. */
import { ValidationFailed } from '../../machines/shared/failure.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/** The cursor of a place in a list: what the list is sorted by, and the id of the last item at the end. */
export const encodeCursor = (place: readonly number[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/**
 * The `length` numbers of the place that a cursor stands for, each from 0 to 2^53 - 1, the last one whole.
 * @throws ValidationFailed for a text that no list has answered.
 */
export function decodeCursor(cursor: string, length: number): number[] {
  const place = placeIn(Buffer.from(cursor, 'base64url').toString());
  if (Array.isArray(place) && place.length === length && isPlace(place)) return place;
  throw ValidationFailed.of([
    { field: 'cursor', type: 'cursor', message: 'Give the cursor of the page before, or none for the first page' },
  ]);
}

/** Cursors of earlier versions are a word and an id, and clients may still hold some. */
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
