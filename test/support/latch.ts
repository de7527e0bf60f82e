/** A gate that a test opens once it has seen what it waits for. */

export interface Latch {
  /** Resolves when the latch is opened; at once when it is. */
  readonly opened: Promise<void>;
  open(): void;
}

export function latch(): Latch {
  const made: Partial<Latch & { open(): void }> = {};
  const opened = new Promise<void>((resolve) => {
    made.open = resolve;
  });
  return { opened, open: () => made.open?.() };
}

/** Lets everything run that is ready to run, without any time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
