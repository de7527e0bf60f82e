/** Scenarios that place orders: uniform, hot, keyed, alone, and what an order costs at more and more connections. */
import type { Contestant } from '../contestant.ts';
import type { Bench } from '../bench.ts';
import { p50, p99, perSecond, type Turn } from '../figures.ts';

type Kind = { hot?: boolean; keyed?: boolean };

async function placing(bench: Bench, scenario: string, kind: Kind, connections: number): Promise<[Turn[], Turn[]]> {
  return await bench.alternate(await bench.both(), (contestant: Contestant) => ({
    scenario,
    what: `${connections} connection${connections === 1 ? '' : 's'}`,
    traffic: contestant.orderTraffic(kind),
    connections,
  }));
}

async function throughput(bench: Bench, scenario: string, kind: Kind): Promise<void> {
  const turns = await placing(bench, scenario, kind, bench.options.connections);
  bench.compare('orders', '/s', 'higher', turns, perSecond);
  bench.compare('p99', 'ms', 'lower', turns, p99);
}

export const uniform = (bench: Bench): Promise<void> => throughput(bench, 'uniform', {});
export const hot = (bench: Bench): Promise<void> => throughput(bench, 'hot', { hot: true });
export const keyed = (bench: Bench): Promise<void> => throughput(bench, 'keyed', { keyed: true });

export async function alone(bench: Bench): Promise<void> {
  const turns = await placing(bench, 'alone', {}, 1);
  bench.compare('p50', 'ms', 'lower', turns, p50);
}

/** The turns hold what each order cost; here is compared how many there were. */
export async function cost(bench: Bench): Promise<void> {
  for (const level of bench.options.levels) {
    const turns = await placing(bench, 'cost', {}, level);
    bench.compare(`orders at ${level}`, '/s', 'higher', turns, perSecond);
  }
}
