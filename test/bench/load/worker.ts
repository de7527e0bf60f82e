/** The process that makes the load, so that it shares an event loop with nobody. */
import { drive } from './drive.ts';
import type { Job } from './job.ts';

process.on('message', (job: Job) => {
  drive(job).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ failure: error.stack ?? error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group: whoever started this process ends it.
process.on('SIGINT', () => undefined);
