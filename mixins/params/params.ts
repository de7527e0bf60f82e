/** fastest-validator rules for parameters, shared by several services. */

/** Whether an optional parameter was given; the validator treats null like a missing field. */
export const isGiven = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null;

/** Whether PostgreSQL can store a text unchanged: it has no NUL and no unpaired surrogate. */
export const isStorable = (value: string): boolean => STORABLE.test(value);

// Both patterns are linear: one that backtracks would be slow on a long text with an invalid end.
const STORABLE = /^[^\0\p{Surrogate}]*$/u;
const SAYS_SOMETHING = /^(?=[^]*\S)[^\0\p{Surrogate}]*$/u;

const VISIBLE = /^[\x21-\x7e]+$/;

/** Whether a value is a string of 1 to `max` visible ASCII characters, safe in columns, headers and log lines. */
export const isVisible = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max && VISIBLE.test(value);

/** A text of at most `max` characters, possibly blank. */
export const anyText = (max: number) => ({
  type: 'string',
  max,
  pattern: STORABLE,
  messages: { stringPattern: "The '{field}' field must not contain NUL characters or unpaired surrogates." },
});

/** A text of at most `max` characters that is not blank. */
export const text = (max: number) => ({
  ...anyText(max),
  pattern: SAYS_SOMETHING,
  messages: {
    stringPattern: "The '{field}' field must not be blank or contain NUL characters or unpaired surrogates.",
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

/** Whether a text is a valid RFC 3339 date and time whose year is from 1 to 9999, in UTC as well. */
export const isInstant = (value: string): boolean => exists(value, INSTANT.exec(value));

/** Whether a text is an instant, or a day, which stands for its first instant in UTC. */
export const isDayOrInstant = (value: string): boolean => exists(value, DAY.exec(value)) || isInstant(value);

function exists(value: string, match: RegExpExecArray | null): boolean {
  if (!match) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  // Date turns 30 February into 1 or 2 March.
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  // In UTC, an offset can move the time out of the years that RFC 3339 allows.
  const yearInUtc = new Date(value).getUTCFullYear();
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && yearInUtc > 0 && yearInUtc < 10_000;
}
