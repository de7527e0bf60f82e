/** Outages in the log: one line when something begins to fail, one when it works again, and nothing in between. */
import type { ServiceBroker } from 'moleculer';

/** Told of each failure and of each success of one kind of work. */
export interface OutageWatch {
  readonly failed: (error: unknown) => void;
  readonly worked: () => void;
}

/** Writes `failing` with the error's message when an outage begins, and `working` when it is over. */
export function outageLog(logger: ServiceBroker['logger'], failing: string, working: string): OutageWatch {
  let failed = false;
  return {
    failed(error) {
      if (!failed) logger.warn(failing, error instanceof Error ? error.message : String(error));
      failed = true;
    },
    worked() {
      if (failed) logger.info(working);
      failed = false;
    },
  };
}
