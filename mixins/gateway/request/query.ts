/** Reads query parameters as an endpoint declares them, and reports all faults at once. */
import { type FieldFault, ValidationFailed } from '../../../machines/shared/failure.ts';

/** The type of a parameter: text as sent, a whole number, or an amount of money. */
export type QueryType = 'text' | 'integer' | 'money';
export type QuerySchema = Readonly<Record<string, QueryType>>;
export type QueryValues = Record<string, string | number>;

const NOTHING: QueryValues = Object.freeze({});

const READERS: Record<QueryType, { pattern: RegExp; expected: string }> = {
  text: { pattern: /^[^\0]+$/u, expected: 'a non-empty text' },
  integer: { pattern: /^-?\d{1,15}$/, expected: 'a whole number' },
  money: { pattern: /^-?\d{1,12}(?:\.\d{1,2})?$/, expected: 'an amount with at most two decimals' },
};

/**
 * The values of a raw query string (without its `?`), numbers converted. Ranges are checked by the action.
 * @throws ValidationFailed for parameters that are unknown, repeated, empty or of the wrong type
 */
export function readQuery(raw: string, schema: QuerySchema): QueryValues {
  if (raw === '') return NOTHING;
  const values: QueryValues = {};
  const faults: FieldFault[] = [];
  for (const [field, text] of new URLSearchParams(raw)) {
    const type = Object.hasOwn(schema, field) ? schema[field] : undefined;
    const reader = type && READERS[type];
    if (!reader) faults.push({ field, type: 'unknown', message: `Unknown query parameter '${field}'` });
    else if (Object.hasOwn(values, field)) {
      faults.push({ field, type: 'repeated', message: `The query parameter '${field}' must not be repeated` });
    } else if (!reader.pattern.test(text)) {
      faults.push({ field, type, message: `The query parameter '${field}' must be ${reader.expected}` });
    } else values[field] = type === 'text' ? text : Number(text);
  }
  if (faults.length > 0) throw ValidationFailed.of(faults);
  return values;
}
