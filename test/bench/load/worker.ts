/** The process that generates the load, in an event loop of its own. */
import { drive } from './drive.ts';
import type { Job } from './job.ts';

process.on('message', (job: Job) => {
  drive(job).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ failure: error.stack ?? error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group: the parent ends this process.
process.on('SIGINT', () => undefined);
