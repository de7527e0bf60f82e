/** The rules that parameters of several services share, in the terms of fastest-validator. */

/** A text that says something, of at most `max` characters. PostgreSQL keeps no NUL in a text. */
export const text = (max: number) => ({
  type: 'string',
  max,
  pattern: /^[^\0]*[^\0\s][^\0]*$/,
  messages: { stringPattern: "The '{field}' field must not be empty, and must not contain NUL characters." },
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
