/** The chaos harness: real processes, faults from a seed, shoppers, and a checker that balances the books afterwards. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Options, readOptions, USAGE } from './options.ts';
import { textOf } from './report.ts';
import { playAt, playOnMesh } from './round.ts';
import { UsageError } from '../../mixins/settings/command-line.ts';

/** Exit codes: 0 passed, 1 failed, 2 the command line cannot be used. */
async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const options = readOptions(process.argv.slice(2));
  console.log(`seed ${options.seed}`);
  const folder = await mkdtemp(join(tmpdir(), 'waybill-chaos-'));
  // The database may run as another user, who needs access.
  await chmod(folder, 0o755);
  const result = options.url === undefined ? await playOnMesh(options, folder) : await playAt(options.url, options);
  console.log(textOf(result));
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  const passed = result.failures.length === 0;
  await tidy(options, folder, passed);
  return passed ? 0 : 1;
}

/** Leaves the logs of a round that failed. */
async function tidy({ keep, url }: Options, folder: string, passed: boolean): Promise<void> {
  if (url !== undefined || (passed && !keep)) await rm(folder, { recursive: true, force: true });
  else {
    for (const bulky of ['orders', 'inventory', 'tracking', 'nats'])
      await rm(join(folder, bulky), { recursive: true, force: true });
    console.log(`The logs of all processes are in ${join(folder, 'logs')}`);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Connections to stopped servers may linger.
process.exit();
