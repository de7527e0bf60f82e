/** The refusal of a database's address. */

/** An address that cannot be used. Its message says what to give instead, and repeats nothing of the address. */
export class AddressError extends Error {}
