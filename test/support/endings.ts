/** Closes what tests have opened, the latest first, so that users of a resource end before it. */
import { afterAll, afterEach } from '@jest/globals';

/** Ends something; it is awaited. */
export type End = () => unknown;

const [ofTheTest, ofTheFile]: [End[], End[]] = [[], []];
afterEach(() => endAll(ofTheTest));
afterAll(() => endAll(ofTheFile));

/** Has `end` called after the test that runs. */
export function afterTheTest(end: End): void {
  ofTheTest.push(end);
}

/** Has `end` called after the test file. */
export function afterTheFile(end: End): void {
  ofTheFile.push(end);
}

/** One that fails keeps no other from being called. */
async function endAll(endings: End[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of endings.splice(0).toReversed()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `not everything could be ended: ${failures.join('; ')}`);
}
