/** How commands read their options: `node:util` parses them, and one that cannot be used is refused by one line. */
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command line cannot be used. Its message is the line that says why. */
export class UsageError extends Error {}

/** An option with a text. */
export const text = { type: 'string' } as const;

/** An option with a text, and what it is when it is not given. */
export const textOr = <Text extends string>(fallback: Text) => ({ ...text, default: fallback });

/** The values of the options that are known here. @throws UsageError for any other */
export function valuesOf<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** A whole number of at least `least`. `name` is how the caller gives it. @throws UsageError */
export function whole(name: string, given: string, least: number): number {
  const value = Number(given);
  if (given === '' || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`${name} ${given} cannot be used: give a whole number from ${least}`);
  return value;
}

/** The entries of a comma list. */
export function listed(given = ''): string[] {
  return given
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
}
