/** Writes amounts of money in JSON with both of their decimals. */

// In JSON text an unescaped `"price":` can only be a key: inside of a string its quotes are escaped.
const AMOUNT = /(?<!\\)"(price|priceAtPurchase|totalPrice)":(-?\d+)(?:\.(\d{1,2}))?(?=[,}])/g;

/** `JSON.stringify`, but `"price":19.9` is written `"price":19.90`. The numbers are the same to every reader. */
export function stringifyWithMoney(value: unknown): string {
  return JSON.stringify(value).replace(
    AMOUNT,
    (_, key: string, whole: string, decimals = '') => `"${key}":${whole}.${decimals.padEnd(2, '0')}`,
  );
}
