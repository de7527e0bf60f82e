/** Money as whole cents in a bigint: exact at any size, and the only form used for arithmetic. */

/** The largest NUMERIC(12,2), in cents. */
export const MAX_CENTS = 999_999_999_999n;

/** A whole number of cents. */
export type Cents = bigint;

const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,2})0*)?$/;

/**
 * Parses a decimal amount without binary floating point.
 * @throws RangeError when the text is not a decimal number with at most two decimals.
 */
export function parseMoney(text: string): Cents {
  const match = DECIMAL.exec(text);
  if (!match) throw new RangeError(`not an amount with at most two decimals: ${text}`);
  const cents = BigInt(match[2] as string) * 100n + BigInt((match[3] ?? '').padEnd(2, '0'));
  return match[1] ? -cents : cents;
}

/** True when a JSON number is an amount with at most two decimals that fits the column. */
export function isMoney(value: unknown): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  // String() gives the shortest decimal that parses back to this number, which is what the caller wrote.
  const match = DECIMAL.exec(String(value));
  return match !== null && value >= 0 && parseMoney(String(value)) <= MAX_CENTS;
}

/** Formats cents for PostgreSQL's NUMERIC(12,2): `"19.90"`. */
export function formatMoney(cents: Cents): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * Cents as the number in JSON responses. Up to MAX_CENTS (12 digits) the quotient is the double nearest to the amount,
 * the same one that parsing its decimals gives.
 */
export function moneyToNumber(cents: Cents): number {
  return Number(cents) / 100;
}

/** The exact total of priced lines. */
export function totalOf(lines: Iterable<{ quantity: number; price: Cents }>): Cents {
  let total = 0n;
  for (const line of lines) total += line.price * BigInt(line.quantity);
  return total;
}
