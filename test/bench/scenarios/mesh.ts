/** Two nodes that share a database and meet over NATS, against one that is alone there: all orders on one product. */
import type { Bench } from '../bench.ts';
import { p99, perSecond } from '../figures.ts';
import { WaybillContestant } from '../waybill.ts';

export async function mesh(bench: Bench): Promise<void> {
  const { ground, options } = bench;
  let transporter: string;
  try {
    transporter = await ground.startNats();
  } catch (error) {
    bench.say(`mesh: left out, ${(error as Error).message}`);
    return;
  }
  const one = await bench.enter('one node', () =>
    WaybillContestant.start(ground, { name: 'one node', nodes: 1, transporter, set: options.set }),
  );
  const two = await bench.enter('two nodes', () =>
    WaybillContestant.start(ground, { name: 'two nodes', nodes: 2, transporter, set: options.set }),
  );
  const turns = await bench.alternate([two, one], (contestant) => ({
    scenario: 'mesh',
    what: 'orders on one product',
    traffic: contestant.orderTraffic({ hot: true }),
    connections: options.connections,
  }));
  bench.compare('two nodes, one product', '/s', 'higher', turns, perSecond);
  bench.compare('p99', 'ms', 'lower', turns, p99);
  await bench.leave(two, 'mesh');
  await bench.leave(one, 'mesh');
}
