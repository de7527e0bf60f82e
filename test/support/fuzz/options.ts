/** How much is fuzzed, and from which seed. */

/** The seed of `npm test`: always the same, so that only a change of the program can change the outcome. */
const SEED = 20_260_101;

/**
 * FUZZ_SEED takes other cases, and those of a failure again; FUZZ_RUNS multiplies how many there are:
 * `FUZZ_SEED=7 FUZZ_RUNS=10 npm test -- test/security`.
 */
export const fuzzOptions = {
  seed: whole('FUZZ_SEED', SEED),
  times: whole('FUZZ_RUNS', 1),
};

function whole(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name}=${text} cannot be used: give a whole number`);
  return value;
}
