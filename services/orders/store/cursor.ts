/** Where a page of orders ends, as a text that a caller hands back for the next one. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';

const MAX_ID = Number.MAX_SAFE_INTEGER;

/** To the validator a null is as good as a field left out. */
export const isGiven = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null;

/** The cursor of a place in a list. */
export const encode = (cursor: unknown[]): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** Whether parts can be the place of an order in a list: its id at the end, what it is sorted by before. */
function isPlace(parts: unknown[]): parts is number[] {
  const id = parts.at(-1);
  return parts.every((part) => typeof part === 'number' && part >= 0 && part <= MAX_ID) && Number.isSafeInteger(id);
}

/** The values behind a cursor of `length` parts. @throws ValidationFailed for a text that is not one of ours. */
export function decode(cursor: string, length: number): number[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === length && isPlace(parts)) return parts;
  } catch {
    // Falls through to the one answer for every text that is not a cursor.
  }
  throw ValidationFailed.of([
    { field: 'cursor', type: 'cursor', message: 'Give the cursor of the page before, or none for the first page' },
  ]);
}
