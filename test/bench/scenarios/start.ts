/** How long a start takes on a database that is there already, on a server that runs and on the embedded one. */
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { median } from '../statistics.ts';
import { startWaybill } from '../waybill.ts';

export async function start(bench: Bench): Promise<void> {
  const { ground, options } = bench;
  const running = { ...options.set, DATABASE_URL: await ground.createDatabase('start') };
  await measure(bench, 'until ready, on a running server', running);
  await measure(bench, 'until ready, with the embedded PostgreSQL', {
    ...options.set,
    DATA_DIR: join(ground.folder, 'start'),
  });
}

async function measure(bench: Bench, title: string, settings: Record<string, string>): Promise<void> {
  const rounds: number[] = [];
  // The first one makes the tables, and is not counted.
  for (let round = 0; round <= bench.options.rounds; round++) {
    const { child, tookMs } = await startWaybill(bench.ground, 'start', settings);
    await child.stop();
    bench.say(`start: ${title}, ${round === 0 ? 'for the first time' : `round ${round}`}: ${Math.round(tookMs)} ms`);
    if (round > 0) rounds.push(tookMs);
  }
  bench.fact({ scenario: 'start', title, unit: 'ms', value: median(rounds), rounds });
}
