/** The rules that parameters of several services share, in the terms of fastest-validator. */

/** Whether PostgreSQL keeps a text as it is: without NUL, without half of a surrogate pair. */
export const isStorable = (value: string): boolean => STORABLE.test(value);

// Both patterns are linear: one that may give back what it took would be slow on a long text with a bad end.
const STORABLE = /^[^\0\p{Surrogate}]*$/u;
const SAYS_SOMETHING = /^(?=[^]*\S)[^\0\p{Surrogate}]*$/u;

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
