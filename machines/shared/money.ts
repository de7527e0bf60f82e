/** Money as whole cents in a bigint: exact at any size, and the only form in which it is added or multiplied. */

/** The largest amount that NUMERIC(12,2) holds, in cents. */
export const MAX_CENTS = 999_999_999_999n;

/** A whole number of cents. */
export type Cents = bigint;

const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,2})0*)?$/;

/**
 * Reads a decimal amount without going through binary floating point.
 * @throws RangeError when the text is not a decimal with at most two places.
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
  // The shortest decimal that reads back as this number is what the caller wrote.
  const match = DECIMAL.exec(String(value));
  return match !== null && value >= 0 && parseMoney(String(value)) <= MAX_CENTS;
}

/** Writes cents as PostgreSQL's NUMERIC(12,2) reads them: `"19.90"`. */
export function formatMoney(cents: Cents): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * Cents as the JSON number with two decimals that answers carry. Up to MAX_CENTS, which has 12 digits, the quotient is
 * the number nearest to the amount, and so is what reading its decimals would give.
 */
export function moneyToNumber(cents: Cents): number {
  return Number(cents) / 100;
}

/** The total of priced lines, exact. */
export function totalOf(lines: Iterable<{ quantity: number; price: Cents }>): Cents {
  let total = 0n;
  for (const line of lines) total += line.price * BigInt(line.quantity);
  return total;
}
