/** How much is fuzzed, and from which seed. */
import { whole } from '../../../mixins/settings/command-line.ts';

/** The seed of `npm test`: always the same, so that only a change of the program can change the outcome. */
const SEED = '20260101';

/**
 * FUZZ_SEED takes other cases, and those of a failure again; FUZZ_RUNS multiplies how many there are:
 * `FUZZ_SEED=7 FUZZ_RUNS=10 npm test -- test/security`.
 */
export const fuzzOptions = {
  seed: whole('FUZZ_SEED', process.env.FUZZ_SEED || SEED, 1),
  times: whole('FUZZ_RUNS', process.env.FUZZ_RUNS || '1', 1),
};
