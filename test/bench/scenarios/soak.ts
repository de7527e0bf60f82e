/** Memory of the engine under load that lasts for `--seconds`. */
import type { Bench } from '../bench.ts';
import { perSecond } from '../figures.ts';
import { residentMegabytes } from '../counters.ts';
import { slope } from '../statistics.ts';

const EVERY_MS = 1_000;

export async function soak(bench: Bench): Promise<void> {
  const waybill = await bench.waybill();
  const [pid] = waybill.pids as [number];
  const samples: { x: number; y: number }[] = [];
  const began = performance.now();
  const sample = (): void => {
    const megabytes = residentMegabytes(pid);
    if (megabytes !== null) samples.push({ x: (performance.now() - began) / 60_000, y: megabytes });
  };
  const timer = setInterval(sample, EVERY_MS);
  sample();
  const traffic = waybill.orderTraffic();
  const ask = { scenario: 'soak', what: 'memory', traffic, connections: bench.options.connections, round: 1 };
  const turn = await bench.turn(waybill, ask).finally(() => clearInterval(timer));
  sample();
  const fact = (title: string, unit: string, value: number): void =>
    bench.fact({ scenario: 'soak', title, unit, value });
  fact('orders', '/s', perSecond(turn));
  const sizes = samples.map(({ y }) => y);
  if (sizes.length === 0) return;
  fact('memory at the beginning', 'MB', sizes[0] as number);
  fact('memory at most', 'MB', Math.max(...sizes));
  fact('memory at the end', 'MB', sizes.at(-1) as number);
  // What a process takes once it has warmed up says nothing about a leak.
  const settled = samples.slice(samples.length >> 1);
  if (settled.length > 2) fact('growth in the second half', 'MB/min', slope(settled));
}
