/** The error for an invalid database address. */

/** An invalid database address. The message says what to give instead, and contains nothing of the address. */
export class AddressError extends Error {}
