/** The benchmark: `npm run bench -- --help` says what it can be told. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ROOT } from '../support/process/project.ts';
import { Bench } from './bench.ts';
import { Ground } from './ground.ts';
import { surroundings } from './hardware.ts';
import { type Options, readOptions, SCENARIOS, USAGE } from './options.ts';
import { svgOf } from './report/svg.ts';
import { reportOf } from './report/terminal.ts';
import { estimateSeconds, RUNS } from './scenarios/index.ts';
import { UsageError } from '../../mixins/settings/command-line.ts';

const began = performance.now();
const say = (line: string): void =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}`);

/** Exit codes: 0 measured, 1 the figures do not count, 2 the command line cannot be used, 130 interrupted. */
async function main(interrupted: Promise<never>): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const options = readOptions(process.argv.slice(2));
  say(process.env.DATABASE_URL ? 'using the server of DATABASE_URL' : 'starting PostgreSQL');
  say(`this takes about ${Math.ceil(estimateSeconds(options) / 60)} min`);
  const opening = Ground.open(process.env.DATABASE_URL, options.folder);
  try {
    const ground = await Promise.race([opening, interrupted]);
    return await Promise.race([measure(options, ground), interrupted]);
  } finally {
    await (await opening).close();
  }
}

async function measure(options: Options, ground: Ground): Promise<number> {
  const at = new Date();
  const bench = new Bench(options, ground, say);
  const { figures } = bench;
  figures.invalid.push(...(await ground.weaknesses()));
  for (const name of options.only) {
    say(`${name}: ${SCENARIOS[name]}`);
    try {
      await RUNS[name](bench);
      await bench.checkAll(name);
    } catch (error) {
      figures.invalid.push(`${name}: ${(error as Error).message}`);
      break;
    }
  }
  // What was cut off is no result.
  if (over) return 130;
  const server = process.env.DATABASE_URL ? 'given' : 'embedded';
  const where = { ...surroundings(), server, postgres: await ground.settings() };
  console.log(`\n${reportOf(figures)}\n`);
  const out = resolve(options.out ?? join(ROOT, 'bench-results', `${at.toISOString().replaceAll(/[:.]/g, '-')}.json`));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(
    out,
    `${JSON.stringify({ at, valid: figures.invalid.length === 0, options, where, ...figures }, null, 2)}\n`,
  );
  const picture = `${out.replace(/\.json$/, '')}.svg`;
  const on = `${where.cores} × ${where.cpu}, PostgreSQL ${where.postgres.server_version}, Node ${where.node}, ${at.toISOString().slice(0, 10)}`;
  await writeFile(picture, svgOf(figures.comparisons, on));
  console.log(`${out}\n${picture}`);
  return figures.invalid.length === 0 ? 0 : 1;
}

class Interrupted extends Error {}

const interrupted = new Promise<never>((_resolve, fail) => {
  let signals = 0;
  const interrupt = (): void => {
    signals += 1;
    // Who asks twice does not want to wait: the processes are killed, and files may stay.
    if (signals > 1) process.exit(130);
    fail(new Interrupted());
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
});
let over = false;
// It may come before anybody waits for it.
interrupted.catch(() => {
  over = true;
});

try {
  process.exitCode = await main(interrupted);
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else console.error(error instanceof Interrupted ? 'interrupted: everything is stopped and removed' : error);
  process.exitCode = error instanceof UsageError ? 2 : error instanceof Interrupted ? 130 : 1;
}
// What was under way when it was interrupted may linger.
process.exit();
