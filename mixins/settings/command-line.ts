/** Parses command options with `node:util`; an invalid one is reported in one line. */
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command line is invalid. The message is one line that says why. */
export class UsageError extends Error {}

/** A string option. */
export const text = { type: 'string' } as const;

/** A string option with a default. */
export const textOr = <Text extends string>(fallback: Text) => ({ ...text, default: fallback });

/** The values of the given options. @throws UsageError for an unknown option or a missing value */
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

/** Parses a whole number of at least `least`; `name` is the option, such as `--rounds`. @throws UsageError */
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
