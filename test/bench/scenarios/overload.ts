/** Four times as many orders as can be taken: what still gets through, how fast the rest is refused, and what follows. */
import type { Bench } from '../bench.ts';
import { p99, perSecond, type Turn } from '../figures.ts';
import { median } from '../statistics.ts';

const TIMES = 4;
/** More than the engine allows in progress at once, so that something must be refused. */
const CONNECTIONS = 4_000;

export async function overload(bench: Bench): Promise<void> {
  const { connections, rounds } = bench.options;
  const [waybill, baseline] = await bench.both();
  const calm = { scenario: 'overload', connections };
  const best: [Turn[], Turn[]] = [[], []];
  const over: [Turn[], Turn[]] = [[], []];
  const after: [Turn[], Turn[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    for (const [side, contestant] of [waybill, baseline].entries() as ArrayIterator<[0 | 1, typeof waybill]>) {
      const place = { traffic: contestant.orderTraffic(), round };
      const before = await bench.turn(contestant, { ...calm, ...place, what: 'before' });
      const rate = Math.max(1, Math.round(TIMES * perSecond(before)));
      best[side].push(before);
      over[side].push(
        await bench.turn(contestant, {
          scenario: 'overload',
          what: `${TIMES} times the best rate`,
          traffic: contestant.orderTraffic(),
          connections: CONNECTIONS,
          rate,
          round,
        }),
      );
      after[side].push(
        await bench.turn(contestant, { ...calm, round, traffic: contestant.orderTraffic(), what: 'afterwards' }),
      );
    }
  }
  bench.compare('taken under overload', '/s', 'higher', over, perSecond);
  bench.compare('p99 of what is taken', 'ms', 'lower', over, p99);
  const [calmly, under, later] = [best[0], over[0], after[0]];
  const fact = (
    title: string,
    unit: string,
    figure: (before: Turn, during: Turn, afterwards: Turn) => number,
  ): void => {
    const values = under.map((during, i) => figure(calmly[i] as Turn, during, later[i] as Turn));
    bench.fact({ scenario: 'overload', title, unit, value: median(values), rounds: values });
  };
  fact('of its best rate is still taken', '%', (before, during) => (100 * perSecond(during)) / perSecond(before));
  fact('of what is sent is refused', '%', (_before, { load }) => (100 * (load.answers['503'] ?? 0)) / load.sent);
  fact('of what is sent has no answer', '%', (_before, { load }) => (100 * load.unanswered) / load.sent);
  fact('p50 from sending to a refusal', 'ms', (_before, { load }) => load.sentLatency.refused?.p50 ?? Number.NaN);
  fact('p99 from sending to a refusal', 'ms', (_before, { load }) => load.sentLatency.refused?.p99 ?? Number.NaN);
  fact('p99 from sending to a 201', 'ms', (_before, { load }) => load.sentLatency.ok?.p99 ?? Number.NaN);
  fact('until nothing is owed afterwards', 'ms', (_before, { restMs }) => restMs);
  fact(
    'of its best rate right afterwards',
    '%',
    (before, _during, afterwards) => (100 * perSecond(afterwards)) / perSecond(before),
  );
}
