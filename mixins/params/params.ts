/** The rules that parameters of several services share, in the terms of fastest-validator. */

/** Whether an optional parameter was given: to the validator a null is as good as a field left out. */
export const isGiven = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null;

/** Whether PostgreSQL keeps a text as it is: without NUL, without half of a surrogate pair. */
export const isStorable = (value: string): boolean => STORABLE.test(value);

// Both patterns are linear: one that may give back what it took would be slow on a long text with a bad end.
const STORABLE = /^[^\0\p{Surrogate}]*$/u;
const SAYS_SOMETHING = /^(?=[^]*\S)[^\0\p{Surrogate}]*$/u;

const VISIBLE = /^[\x21-\x7e]+$/;

/** Whether a value is a text of 1 to `max` visible ASCII characters: fit for columns, headers and log lines alike. */
export const isVisible = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max && VISIBLE.test(value);

/** A text of at most `max` characters, kept as it comes. */
export const anyText = (max: number) => ({
  type: 'string',
  max,
  pattern: STORABLE,
  messages: { stringPattern: "The '{field}' field must not contain NUL characters or unpaired surrogates." },
});

/** A text of at most `max` characters that says something. */
export const text = (max: number) => ({
  ...anyText(max),
  pattern: SAYS_SOMETHING,
  messages: {
    stringPattern: "The '{field}' field must not be empty, nor contain NUL characters or unpaired surrogates.",
  },
});

/** An id: a whole number from 1 to 2^53 - 1. */
export const identifier = {
  type: 'number',
  integer: true,
  positive: true,
  max: Number.MAX_SAFE_INTEGER,
  messages: { numberMax: "The '{field}' field must be below 2^53." },
};

/** A whole number from 1 to `max`. */
export const countNumber = (max: number) => ({ type: 'number', integer: true, min: 1, max });

const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;

/** Whether a text is a date and time of RFC 3339 that exists, in years that can be written in UTC as well. */
export const isInstant = (value: string): boolean => exists(value, INSTANT.exec(value));

/** Whether a text is such an instant, or a day, which stands for its beginning in UTC. */
export const isDayOrInstant = (value: string): boolean => exists(value, DAY.exec(value)) || isInstant(value);

function exists(value: string, match: RegExpExecArray | null): boolean {
  if (!match) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  // Date turns a 30th of February into the 2nd of March.
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  // An offset can still lead out of the years that RFC 3339 can write.
  const yearInUtc = new Date(value).getUTCFullYear();
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && yearInUtc > 0 && yearInUtc < 10_000;
}
