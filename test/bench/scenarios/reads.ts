/** Scenarios that read, and how reads and orders fare as the tables grow. */
import type { Bench } from '../bench.ts';
import { p99, perSecond } from '../figures.ts';

/** Enough orders that reads differ from one another. */
const SOME_ORDERS = 10_000;

async function reading(bench: Bench, scenario: string, suffix: string): Promise<void> {
  const both = await bench.both();
  const { connections } = bench.options;
  const one = await bench.alternate(both, (contestant) => ({
    scenario,
    what: `one order${suffix}`,
    traffic: contestant.orderReads(),
    connections,
  }));
  bench.compare(`one order${suffix}`, '/s', 'higher', one, perSecond);
  const list = await bench.alternate(both, (contestant) => ({
    scenario,
    what: `list of 50${suffix}`,
    traffic: contestant.listReads(),
    connections,
  }));
  bench.compare(`list of 50${suffix}`, '/s', 'higher', list, perSecond);
}

async function generate(bench: Bench, orders: number): Promise<void> {
  for (const contestant of await bench.both()) await contestant.generate(orders, (what) => bench.say(what));
}

export async function read(bench: Bench): Promise<void> {
  await generate(bench, SOME_ORDERS);
  await reading(bench, 'read', '');
}

export async function size(bench: Bench): Promise<void> {
  for (const orders of bench.options.orders.toSorted((a, b) => a - b)) {
    await generate(bench, orders);
    const suffix = ` of ${orders.toLocaleString('en')}`;
    await reading(bench, 'size', suffix);
    const turns = await bench.alternate(await bench.both(), (contestant) => ({
      scenario: 'size',
      what: `orders on top${suffix}`,
      traffic: contestant.orderTraffic(),
      connections: bench.options.connections,
    }));
    bench.compare(`orders on top${suffix}`, '/s', 'higher', turns, perSecond);
    bench.compare(`p99 on top${suffix}`, 'ms', 'lower', turns, p99);
  }
}
