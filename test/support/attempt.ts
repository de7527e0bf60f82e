/** What is tried once for all tests of a file: how it went is told to the test that asks. */

export type Attempt<T> = { value: T } | { error: unknown };

/** Waits for the outcome, whatever it is. */
export async function attempt<T>(trying: Promise<T>): Promise<Attempt<T>> {
  return await trying.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/** The value of an attempt. @throws what it failed with */
export function outcomeOf<T>(made: Attempt<T>): T {
  if ('error' in made) throw made.error;
  return made.value;
}
