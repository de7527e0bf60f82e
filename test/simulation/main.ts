/** `npm run simulate -- --seeds 2000` runs that many histories; `--seed N` runs one again and shows its every step. */
import { text, textOr, UsageError, valuesOf, whole } from '../../mixins/settings/command-line.ts';
import { runHistory } from './history.ts';

try {
  const { seed, from, seeds } = valuesOf(process.argv.slice(2), {
    seed: text,
    seeds: textOr('2000'),
    from: textOr('1'),
  });
  if (seed === undefined) await many(whole('--from', from, 0), whole('--seeds', seeds, 1));
  else await one(whole('--seed', seed, 0));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function one(seed: number): Promise<void> {
  const { trace, faults, orders, steps, digest } = await runHistory(seed, {}, true);
  for (const line of trace) console.log(line);
  console.log(`seed ${seed}: ${orders} orders, ${steps} steps, digest ${digest.toString(16)}`);
  report(seed, faults);
}

async function many(from: number, count: number): Promise<void> {
  const began = performance.now();
  const struck: Record<string, number> = {};
  let orders = 0;
  let steps = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runHistory(seed);
    orders += outcome.orders;
    steps += outcome.steps;
    for (const [kind, times] of Object.entries(outcome.struck)) struck[kind] = (struck[kind] ?? 0) + times;
    report(seed, outcome.faults);
    const ran = seed - from + 1;
    if (ran % 500 === 0) console.log(`${ran} of ${count} histories`);
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${count} histories, ${orders} orders, ${steps} steps in ${seconds} s`);
  console.log(
    `faults: ${Object.entries(struck)
      .map(([kind, times]) => `${kind} ${times}`)
      .join(', ')}`,
  );
  if (process.exitCode === undefined) console.log('all books balance');
}

function report(seed: number, faults: readonly string[]): void {
  for (const fault of faults) console.log(`seed ${seed}: ${fault}`);
  if (faults.length === 0) return;
  console.log(`again, with every step: npm run simulate -- --seed ${seed}`);
  process.exitCode = 1;
}
