/** One run of the benchmark: the contestants, started when a scenario asks for them, and the figures so far. */
import { BaselineContestant } from './baseline/contestant.ts';
import type { Contestant } from './contestant.ts';
import { costOf } from './counters.ts';
import type { Fact, Figures, Turn } from './figures.ts';
import type { Ground } from './ground.ts';
import { LoadGenerator } from './load/generator.ts';
import type { LoadResult, Traffic } from './load/job.ts';
import type { Options } from './options.ts';
import { figure } from './report/bars.ts';
import { type Comparison, compare } from './statistics.ts';
import { WaybillContestant } from './waybill.ts';

/** How long everything may take to come to rest after a load. */
const REST_WITHIN_MS = 60_000;

/** What a contestant is asked for in one turn. */
export interface Ask {
  scenario: string;
  what: string;
  traffic: Traffic;
  connections: number;
  seconds?: number;
  rate?: number;
  round: number;
}

export class Bench {
  readonly options: Options;
  readonly ground: Ground;
  readonly figures: Figures = { comparisons: [], facts: [], turns: [], baselinePool: null, invalid: [] };
  readonly #generator: LoadGenerator;
  readonly #contestants: Contestant[] = [];
  readonly #say: (line: string) => void;
  #seed = 1;
  #own: Promise<Contestant> | undefined;
  #baseline: Promise<Contestant> | undefined;

  constructor(options: Options, ground: Ground, say: (line: string) => void) {
    this.options = options;
    this.ground = ground;
    this.#say = say;
    this.#generator = new LoadGenerator();
    ground.onClose(() => this.#generator.stop());
  }

  say(line: string): void {
    this.#say(line);
  }

  /** Waybill in one process. */
  waybill(): Promise<Contestant> {
    return (this.#own ??= this.enter('waybill', () => WaybillContestant.start(this.ground, { set: this.options.set })));
  }

  /** The hand-written answer, with as many connections to PostgreSQL as suit it best. */
  baseline(): Promise<Contestant> {
    return (this.#baseline ??= this.#startBaseline());
  }

  /** The two that are compared, in the order of their turns. */
  async both(): Promise<[Contestant, Contestant]> {
    return [await this.waybill(), await this.baseline()];
  }

  /** Starts a contestant and warms it up, so that no turn measures the JIT compiler. */
  async enter(name: string, start: () => Promise<Contestant>): Promise<Contestant> {
    this.say(`starting ${name}`);
    const contestant = await start();
    this.#contestants.push(contestant);
    await this.#warmUp(contestant);
    return contestant;
  }

  /** Ends a contestant that is not asked for again, once its books are checked. */
  async leave(contestant: Contestant, scenario: string): Promise<void> {
    await this.check(contestant, scenario);
    await contestant.stop();
    this.#contestants.splice(this.#contestants.indexOf(contestant), 1);
  }

  /** One turn: the load, then the wait until nothing is owed. */
  async turn(contestant: Contestant, ask: Ask): Promise<Turn> {
    const { scenario, what, connections, round, seconds = this.options.seconds, rate } = ask;
    const label = `${scenario}: ${what}, round ${round}, ${contestant.name}`;
    await this.ground.checkpoint();
    const before = await contestant.counters.read(contestant.pids);
    const load = await this.#load(contestant, { traffic: ask.traffic, connections, seconds, rate });
    const ended = performance.now();
    if (!(await contestant.comesToRest(REST_WITHIN_MS)))
      this.figures.invalid.push(`${label}: not everything came to rest within ${REST_WITHIN_MS / 1_000} s`);
    const restMs = performance.now() - ended;
    const cost = costOf(before, await contestant.counters.read(contestant.pids), load.ok);
    if (load.ok === 0) this.figures.invalid.push(`${label}: no request was answered with success`);
    const latency = load.latency.ok;
    this.say(
      `${label}: ${Math.round(load.okInTime / seconds).toLocaleString('en')}/s` +
        (latency ? `, p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms` : '') +
        ` (${seconds} s)`,
    );
    const turn = {
      scenario,
      contestant: contestant.name,
      what,
      round,
      connections,
      rate: rate ?? null,
      load,
      restMs,
      cost,
    };
    this.figures.turns.push(turn);
    return turn;
  }

  /** Rounds in which two take turns. Returns the turns of each. */
  async alternate(
    contestants: readonly [Contestant, Contestant],
    ask: (contestant: Contestant, round: number) => Omit<Ask, 'round'>,
  ): Promise<[Turn[], Turn[]]> {
    const turns: [Turn[], Turn[]] = [[], []];
    for (let round = 1; round <= this.options.rounds; round++) {
      for (const side of [0, 1] as const) {
        const contestant = contestants[side];
        turns[side].push(await this.turn(contestant, { ...ask(contestant, round), round }));
      }
    }
    return turns;
  }

  /** Compares the turns of two by one figure. */
  compare(
    title: string,
    unit: string,
    better: Comparison['better'],
    turns: [Turn[], Turn[]],
    pick: (turn: Turn) => number,
  ): Comparison {
    const [left, right] = turns.map((each) => ({ name: each[0]?.contestant ?? '', rounds: each.map(pick) }));
    const comparison = compare(
      { scenario: turns[0][0]?.scenario ?? '', title, unit, better },
      left as { name: string; rounds: number[] },
      right as { name: string; rounds: number[] },
    );
    this.figures.comparisons.push(comparison);
    return comparison;
  }

  fact(fact: Fact): void {
    this.figures.facts.push(fact);
    this.say(`${fact.scenario}: ${fact.title} ${figure(fact.value, fact.unit)}`);
  }

  /** Balances the books of every contestant that has taken part. */
  async checkAll(scenario: string): Promise<void> {
    for (const contestant of this.#contestants) await this.check(contestant, scenario);
  }

  /** Balances the books of one. */
  async check(contestant: Contestant, scenario: string): Promise<void> {
    const { generated, accepted, uncertain } = contestant.tally;
    await contestant.comesToRest(REST_WITHIN_MS);
    const { confirmed, faults } = await contestant.books();
    const [least, most] = [generated + accepted, generated + accepted + uncertain];
    if (confirmed < least) faults.push(`${least - confirmed} orders that were answered 201 are not confirmed`);
    if (confirmed > most) faults.push(`${confirmed - most} orders are confirmed that nobody was told of`);
    for (const fault of faults) this.figures.invalid.push(`${contestant.name}, after ${scenario}: ${fault}`);
    const verdict = faults.length === 0 ? 'balance' : `DO NOT BALANCE: ${faults.join('; ')}`;
    this.say(`${scenario}: the books of ${contestant.name} ${verdict} (${confirmed.toLocaleString('en')} orders)`);
  }

  async #startBaseline(): Promise<Contestant> {
    const { baselinePools, connections, seconds } = this.options;
    const [first = 1] = baselinePools;
    const baseline = await BaselineContestant.start(this.ground, first);
    this.#contestants.push(baseline);
    let best = { size: first, rate: 0 };
    for (const size of baselinePools.length > 1 ? baselinePools : []) {
      await baseline.usePool(size);
      await this.#warmUp(baseline);
      const load = await this.#load(baseline, { traffic: baseline.orderTraffic(), connections, seconds });
      const rate = load.okInTime / seconds;
      this.say(`baseline with ${size} connections to PostgreSQL: ${Math.round(rate).toLocaleString('en')}/s`);
      if (rate > best.rate) best = { size, rate };
    }
    if (baselinePools.length > 1) await baseline.usePool(best.size);
    this.figures.baselinePool = best.size;
    await this.#warmUp(baseline);
    return baseline;
  }

  async #warmUp(contestant: Contestant): Promise<void> {
    const { warmupSeconds: seconds, connections } = this.options;
    if (seconds === 0) return;
    this.say(`warming ${contestant.name} up for ${seconds} s`);
    await this.#load(contestant, { traffic: contestant.orderTraffic(), connections, seconds });
  }

  async #load(
    contestant: Contestant,
    job: { traffic: Traffic; connections: number; seconds: number; rate?: number | undefined },
  ): Promise<LoadResult> {
    const { rate, ...rest } = job;
    const seed = this.#seed++;
    const load = await this.#generator.run({
      urls: contestant.urls,
      ...rest,
      seed,
      ...(rate === undefined ? {} : { rate }),
    });
    if (job.traffic.kind === 'orders') contestant.count(load);
    return load;
  }
}
