/**
 * Columns of a batch as the parameters of one statement. The driver's own way of writing arrays escapes every element;
 * a batch has thousands of them, most of which need none.
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

/** JSON and arrays as text, which hold no control characters: `unpack('$n')`. An empty text is null. */
export const packed = (values: readonly Maybe<string>[]): string => values.join('\u001e');

/** The SQL that reads a packed parameter as a text array. */
export const unpack = (parameter: string): string => `string_to_array(${parameter}, chr(30), '')`;

/** The SQL that answers the ids of some rows as one text, which is read several times faster than a row for each. */
export const IDS_OF = `SELECT coalesce(string_agg(id::text, ','), '') AS ids FROM`;

/** Reads what IDS_OF answers. */
export const idsIn = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number));
