/** Logs outages: one line with the cause when something begins to fail, one when it works again, nothing in between. */
import type { Logger } from 'moleculer';

/** Receives every failure, with the server it occurred on, and every success of one kind of work. */
export interface OutageWatch {
  readonly failed: (error: unknown, server?: string) => void;
  readonly worked: () => void;
}

/** The log lines. */
export interface OutageLines {
  /** The start of the first line; the cause follows. */
  readonly failing: string;
  /** The start of the last line; the duration follows. */
  readonly working: string;
}

/** An outage ends when nothing has failed for this long: connections of a pool fail and succeed at the same time. */
const QUIET_MS = 1_000;

/**
 * Logs the outages of one kind of work. `causeOf` returns the cause in a few words, without secrets, or undefined for a
 * failure that is reported elsewhere.
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
