/** Sends many generated cases at once; when one fails, finds the smallest that fails, and says how to get it again. */
import { inspect } from 'node:util';
import fc, { type Arbitrary } from 'fast-check';
import { fuzzOptions } from './options.ts';

export interface FuzzOptions {
  /** Cases of a round; FUZZ_RUNS multiplies the rounds. */
  cases: number;
  rounds: number;
  /** Cases in progress at once. */
  atOnce: number;
  /** After each round, with its number from 1. */
  afterRound?: (round: number) => void | Promise<void>;
}

/** The first case of a round that the program failed. */
interface Failure<Case> {
  at: number;
  original: Case;
  error: unknown;
}

const SHOWN = 160;

/**
 * Judges every case, which throws when the program did wrong. The cases of a seed are always the same.
 * @throws Error with the seed, the fault and the smallest case that shows it
 */
export async function fuzz<Case>(
  arbitrary: Arbitrary<Case>,
  judge: (each: Case) => Promise<void>,
  { cases, rounds, atOnce, afterRound }: FuzzOptions,
): Promise<number> {
  let sent = 0;
  for (let round = 1; round <= rounds * fuzzOptions.times; round++) {
    const seed = fuzzOptions.seed + round;
    const all = fc.sample(arbitrary, { seed, numRuns: cases });
    const failures: Failure<Case>[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < all.length && failures.length === 0) {
        const at = next++;
        const original = all[at] as Case;
        await judge(original).catch((error: unknown) => failures.push({ at, original, error }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const [failure] = failures;
    if (failure) await tell(arbitrary, judge, seed, failure);
    sent += all.length;
    await afterRound?.(round);
  }
  return sent;
}

async function tell<Case>(
  arbitrary: Arbitrary<Case>,
  judge: (each: Case) => Promise<void>,
  seed: number,
  { at, original, error }: Failure<Case>,
): Promise<never> {
  const property = fc.asyncProperty(arbitrary, judge);
  const { counterexample, errorInstance } = await fc.check(property, { seed, path: String(at), numRuns: 1 });
  const smallest = counterexample?.[0] ?? original;
  const alone = counterexample === null ? ' (it fails in company only, so it could not be made smaller)' : '';
  throw new Error(
    `${messageOf(errorInstance ?? error)}\n` +
      `for ${shown(smallest)}${alone}\n` +
      `This is case ${at} of FUZZ_SEED=${seed - 1}.`,
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A case on a few lines: long texts, names and lists are cut. */
function shown(value: unknown): string {
  const text = inspect(value, { depth: 8, maxStringLength: SHOWN, maxArrayLength: 10, breakLength: 120 });
  return text.replaceAll(/[^\n]{400,}/g, (line) => `${line.slice(0, SHOWN)}… (${line.length} characters)`);
}
