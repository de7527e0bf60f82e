/** Outages in the log: one line with the cause when something begins to fail, one when it works again, nothing between. */
import type { Logger } from 'moleculer';

/** Told of each failure, with the server it was met on, and of each success of one kind of work. */
export interface OutageWatch {
  readonly failed: (error: unknown, server?: string) => void;
  readonly worked: () => void;
}

/** The lines. */
export interface OutageLines {
  /** Begins the first line; the cause follows. */
  readonly failing: string;
  /** Begins the last line; how long it took follows. */
  readonly working: string;
}

/** It is over when nothing has failed for so long: connections of a pool fail and succeed side by side. */
const QUIET_MS = 1_000;

/**
 * Writes the lines. `causeOf` says why in a few words, without anything secret; undefined is a failure that is told
 * elsewhere.
 */
export function outageLog(
  logger: Pick<Logger, 'info' | 'warn'>,
  { failing, working }: OutageLines,
  causeOf: (error: unknown) => string | undefined,
): OutageWatch {
  let began: number | undefined;
  let failedAt = 0;
  let workedAt: number | undefined;
  return {
    failed(error, server) {
      const cause = causeOf(error);
      if (cause === undefined) return;
      if (began === undefined) logger.warn(`${failing}: ${server === undefined ? '' : `${server} `}${cause}`);
      failedAt = performance.now();
      began ??= failedAt;
      workedAt = undefined;
    },
    worked() {
      if (began === undefined) return;
      const now = performance.now();
      workedAt ??= now;
      if (now - failedAt < QUIET_MS) return;
      logger.info(`${working}, after ${((workedAt - began) / 1_000).toFixed(1)} s`);
      began = undefined;
    },
  };
}
