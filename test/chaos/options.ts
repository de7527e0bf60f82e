/** The command line options of a round. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listed, text, textOr, UsageError, valuesOf, whole } from '../../mixins/settings/command-line.ts';
import { FAULTS } from './faults/index.ts';

export interface Options {
  seconds: number;
  seed: number;
  shoppers: number;
  nodesEach: number;
  /** Milliseconds from one fault to the next, on average. */
  paceMs: number;
  leaseMs: number;
  callTimeoutMs: number;
  /** How long the system has to come to rest afterwards, in seconds. */
  restSeconds: number;
  /** Kinds of faults; all of them when empty. */
  faults: string[];
  /** A deployment to shop at, without faults. */
  url: string | undefined;
  /** The module of a planted fault. */
  plant: string | undefined;
  /** Where the result is written as JSON. */
  json: string | undefined;
  /** Keep the folder with the logs of all processes also when nothing is wrong. */
  keep: boolean;
}

const PLANTED = fileURLToPath(new URL('planted/', import.meta.url));

/** The names of the planted faults. */
export function plantNames(): string[] {
  return readdirSync(PLANTED)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -'.ts'.length));
}

export const USAGE = `npm run chaos -- [options]

  --seconds 60        how long faults strike and shoppers shop
  --seed N            the same seed gives the same faults at the same times (default: drawn)
  --shoppers 16       how many shop at a time
  --nodes 2           processes of each service
  --pace 2500         milliseconds from one fault to the next, on average
  --faults a,b        only these kinds: ${FAULTS.map(({ kind }) => kind).join(', ')}
  --without a,b       all kinds but these
  --lease 5000        ORDER_LEASE of the nodes, in milliseconds
  --call-timeout 1500 CALL_TIMEOUT of the nodes, in milliseconds
  --rest 60           seconds in which everything must come to rest afterwards
  --url http://…      shop at this deployment and check it, without faults
  --plant NAME        plant a fault, which the checker must find: ${plantNames().join(', ')}
  --json FILE         write the result there
  --keep              keep the logs of all processes`;

const OPTIONS = {
  seconds: textOr('60'),
  seed: text,
  shoppers: textOr('16'),
  nodes: textOr('2'),
  pace: textOr('2500'),
  lease: textOr('5000'),
  'call-timeout': textOr('1500'),
  rest: textOr('60'),
  faults: text,
  without: text,
  url: text,
  plant: text,
  json: text,
  keep: { type: 'boolean', default: false },
} as const;

/** @throws UsageError for what cannot be used. */
export function readOptions(args: string[]): Options {
  const values = valuesOf(args, OPTIONS);
  const url = values.url?.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  if (url !== undefined && !URL.canParse(url)) throw new UsageError(`--url ${url} is no address`);
  const { plant } = values;
  if (plant !== undefined && !plantNames().includes(plant))
    throw new UsageError(`--plant ${plant} is not there: give ${plantNames().join(' or ')}`);
  return {
    seconds: whole('--seconds', values.seconds, 1),
    seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : whole('--seed', values.seed, 0),
    shoppers: whole('--shoppers', values.shoppers, 1),
    nodesEach: whole('--nodes', values.nodes, 1),
    paceMs: whole('--pace', values.pace, 50),
    leaseMs: whole('--lease', values.lease, 1_000),
    callTimeoutMs: whole('--call-timeout', values['call-timeout'], 10),
    restSeconds: whole('--rest', values.rest, 1),
    faults: kinds(values.faults, values.without),
    url: url === undefined ? undefined : `${url}/api/v1`,
    plant: plant === undefined ? undefined : `${PLANTED}${plant}.ts`,
    json: values.json,
    keep: values.keep,
  };
}

function kinds(only: string | undefined, without: string | undefined): string[] {
  const all = FAULTS.map(({ kind }) => kind);
  for (const kind of [...listed(only), ...listed(without)])
    if (!all.includes(kind)) throw new UsageError(`there is no fault '${kind}': give some of ${all.join(', ')}`);
  const chosen = only === undefined ? all : listed(only);
  return chosen.filter((kind) => !listed(without).includes(kind));
}
