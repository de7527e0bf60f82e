/** Runs something once for all tests of a file, and reports the outcome to each test that asks. */

export type Attempt<T> = { value: T } | { error: unknown };

/** Waits for the outcome, whatever it is. */
export async function attempt<T>(trying: Promise<T>): Promise<Attempt<T>> {
  return await trying.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/** The result of an attempt. @throws the error it failed with */
export function outcomeOf<T>(made: Attempt<T>): T {
  if ('error' in made) throw made.error;
  return made.value;
}
