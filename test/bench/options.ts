/** The command line options of the benchmark. */
import { listed, text, textOr, UsageError, valuesOf, whole } from '../../mixins/settings/command-line.ts';

/** Every scenario, in the order in which they run. Those marked take long or need more, and run on request only. */
export const SCENARIOS = {
  uniform: 'orders of two lines over a thousand products',
  hot: 'the same, and every order holds product 1',
  keyed: 'uniform, with an Idempotency-Key on each request',
  alone: 'one connection: how long a lone order takes',
  read: 'one order, and a list of fifty',
  size: 'reads and uniform with more and more orders in the tables',
  cost: 'processor time, WAL and transactions an order, at more and more connections',
  overload: 'four times as many orders as can be taken',
  start: 'from the start of the process to /health/ready',
  mesh: 'two nodes over NATS against one, all orders on one product',
  soak: 'memory under load that lasts (on request)',
} as const;
export type ScenarioName = keyof typeof SCENARIOS;

const ON_REQUEST: ReadonlySet<ScenarioName> = new Set(['soak']);

export interface Options {
  only: ScenarioName[];
  rounds: number;
  /** How long each round of each contestant lasts. */
  seconds: number;
  /** How long each contestant is warmed up before it is measured, once. */
  warmupSeconds: number;
  connections: number;
  /** Connections of `cost`. */
  levels: number[];
  /** Orders in the tables for `size`. */
  orders: number[];
  /** Connections of the baseline to PostgreSQL; of several, the number it is fastest with is found first. */
  baselinePools: number[];
  /** Settings of Waybill, NAME=value. */
  set: Record<string, string>;
  /** Where the embedded PostgreSQL keeps its data; a folder for temporary files when left out. */
  folder: string | undefined;
  /** Where the figures go. */
  out: string | undefined;
}

export const USAGE = `npm run bench -- [options]

  --only a,b             only these: ${Object.keys(SCENARIOS).join(', ')}
  --rounds 3             rounds of each, in which the contestants take turns
  --seconds 5            how long a turn lasts
  --warmup 10            seconds of load before the first turn
  --connections 64       how many requests are under way at once
  --levels 1,8,64,256    connections of 'cost'
  --orders 10000,100000  orders in the tables for 'size'; a million takes minutes and 2 GB
  --baseline-pool 8,16   connections of the baseline to PostgreSQL, the best of which is found first (default: 8,16,32)
  --set NAME=value       a setting of Waybill; may be repeated
  --folder DIR           where the embedded PostgreSQL keeps its data: a folder on the disk to be measured
  --out FILE             the figures as JSON; the chart goes beside it (default: bench-results/<time>.json)

With DATABASE_URL the server there is used, in databases made for the purpose and dropped afterwards.`;

const OPTIONS = {
  only: text,
  rounds: textOr('3'),
  seconds: textOr('5'),
  warmup: textOr('10'),
  connections: textOr('64'),
  levels: textOr('1,8,64,256'),
  orders: textOr('10000,100000'),
  'baseline-pool': textOr('8,16,32'),
  set: { ...text, multiple: true, default: [] as string[] },
  folder: text,
  out: text,
} as const;

/** @throws UsageError for what cannot be used. */
export function readOptions(args: string[]): Options {
  const values = valuesOf(args, OPTIONS);
  return {
    only: scenarios(values.only),
    rounds: whole('--rounds', values.rounds, 1),
    seconds: whole('--seconds', values.seconds, 1),
    warmupSeconds: whole('--warmup', values.warmup, 0),
    connections: whole('--connections', values.connections, 1),
    levels: listed(values.levels).map((level) => whole('--levels', level, 1)),
    orders: listed(values.orders).map((count) => whole('--orders', count, 100)),
    baselinePools: listed(values['baseline-pool']).map((size) => whole('--baseline-pool', size, 1)),
    set: Object.fromEntries(values.set.map(setting)),
    folder: values.folder,
    out: values.out,
  };
}

function scenarios(only: string | undefined): ScenarioName[] {
  const all = Object.keys(SCENARIOS) as ScenarioName[];
  const asked = only === undefined ? all.filter((name) => !ON_REQUEST.has(name)) : listed(only);
  for (const name of asked)
    if (!(name in SCENARIOS)) throw new UsageError(`there is no scenario '${name}': give some of ${all.join(', ')}`);
  return all.filter((name) => asked.includes(name));
}

function setting(given: string): [string, string] {
  const match = /^([A-Z_]+)=(.*)$/.exec(given);
  if (!match) throw new UsageError(`--set ${given} cannot be used: give NAME=value`);
  return [match[1] as string, match[2] as string];
}
