/** Writes amounts of money in JSON with two decimals. */

/** Serializes a value as JSON. */
export type WriteJson = (value: unknown) => string;

const AMOUNT = /-?\d+(?:\.(\d{1,2}))?(?=[,}])/y;

/**
 * `JSON.stringify`, but numbers in `moneyFields` always get two decimals: `"price":19.90` instead of `"price":19.9`.
 * Parsers read the same number.
 */
export function jsonWriter(moneyFields: readonly string[] = []): WriteJson {
  if (moneyFields.length === 0) return JSON.stringify;
  // These match only keys: inside a string the quotes are escaped. A backslash before a match means a longer key that
  // ends in an escaped quote and this name.
  const keys = moneyFields.map((field) => `${JSON.stringify(field)}:`);
  return (value) => keys.reduce(padAmounts, JSON.stringify(value));
}

// Searching for the whole key is several times faster than one regular expression over the whole text.
function padAmounts(text: string, key: string): string {
  let padded = '';
  let copied = 0;
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + key.length)) {
    AMOUNT.lastIndex = at + key.length;
    const amount = text[at - 1] === '\\' ? null : AMOUNT.exec(text);
    const decimals = amount?.[1]?.length ?? 0;
    if (!amount || decimals === 2) continue;
    padded += text.slice(copied, AMOUNT.lastIndex) + (decimals === 1 ? '0' : '.00');
    copied = AMOUNT.lastIndex;
  }
  return copied === 0 ? text : padded + text.slice(copied);
}
