/**
 * Serializes the columns of a batch as the parameters of one statement. The driver's own array serialization escapes every
 * element; a batch has thousands, most of which need no escaping.
 */

type Maybe<T> = T | null;

/** Numbers, booleans, and words without spaces, quotes or braces (uuids, states, decimals, RFC 3339): `$n::type[]`. */
export const tokens = (values: readonly Maybe<string | number | boolean>[]): string => {
  let text = '{';
  for (let i = 0; i < values.length; i++) text += i === 0 ? (values[i] ?? 'NULL') : `,${values[i] ?? 'NULL'}`;
  return `${text}}`;
};

const SPECIAL = /["\\]/;

/** Free text: `$n::text[]`. */
export const texts = (values: readonly Maybe<string>[]): string => {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) text += ',';
    if (value === null || value === undefined) text += 'NULL';
    else text += SPECIAL.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;
  }
  return `${text}}`;
};

/** JSON and arrays as text, which contain no control characters: `unpack('$n')`. An empty text is null. */
export const packed = (values: readonly Maybe<string>[]): string => values.join('\u001e');

/** The SQL that reads a packed parameter as a text array. */
export const unpack = (parameter: string): string => `string_to_array(${parameter}, chr(30), '')`;

/** SQL that returns the ids of some rows as one text, which is read several times faster than one row each. */
export const IDS_OF = `SELECT coalesce(string_agg(id::text, ','), '') AS ids FROM`;

/** Parses the result of IDS_OF. */
export const idsIn = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number));
