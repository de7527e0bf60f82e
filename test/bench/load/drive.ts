/** Sends the requests of one job: over all connections at once, or at a fixed rate of arrivals. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';
import type { Job, Latencies, Latency, LoadResult } from './job.ts';
import { requestsOf } from './traffic.ts';

/** How long to wait at the end for outstanding answers. */
const GRACE_MS = 10_000;
const TICK_MS = 1;
const BROKEN_PAUSE_MS = 20;

/** Microseconds. */
const newHistogram = (): RecordableHistogram => createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
const newHistograms = () => ({ ok: newHistogram(), refused: newHistogram() });

/** Runs a job to its end. Every connection is closed then. */
export async function drive(job: Job): Promise<LoadResult> {
  const run = new Run(job);
  return await (job.rate === undefined ? run.closedLoop() : run.openLoop(job.rate));
}

class Run {
  readonly #job: Job;
  readonly #clients: Client[];
  readonly #next: () => ReturnType<ReturnType<typeof requestsOf>>;
  readonly #sinceArrival = newHistograms();
  readonly #sinceSent = newHistograms();
  readonly #answers: Record<string, number> = {};
  readonly #endsAt: number;
  readonly #began = performance.now();
  #sent = 0;
  #open = 0;
  #okInTime = 0;
  #okAtAll = 0;
  #broken = 0;
  #finished: () => void = () => undefined;

  constructor(job: Job) {
    this.#job = job;
    this.#next = requestsOf(job.traffic, job.seed);
    this.#endsAt = this.#began + job.seconds * 1_000;
    this.#clients = Array.from(
      { length: job.connections },
      (_, i) =>
        new Client(job.urls[i % job.urls.length] as string, {
          keepAliveTimeout: 60_000,
          bodyTimeout: 0,
          headersTimeout: 0,
        }),
    );
  }

  /** Each connection sends its next request when it has the answer to the one before. */
  async closedLoop(): Promise<LoadResult> {
    const again = (client: Client): void => {
      if (performance.now() < this.#endsAt) this.#send(client, performance.now(), again);
      else if (this.#open === 0) this.#finished();
    };
    for (const client of this.#clients) this.#send(client, performance.now(), again);
    await this.#untilAnswered();
    return await this.#result();
  }

  /** Requests arrive at a fixed rate and take a free connection, or wait for one. */
  async openLoop(rate: number): Promise<LoadResult> {
    const free = this.#clients.slice();
    const waiting: number[] = [];
    let arrived = 0;
    let next = 0;
    const freed = (client: Client): void => {
      if (performance.now() >= this.#endsAt) {
        // Who waits still has gone elsewhere.
        if (this.#open === 0) this.#finished();
      } else if (next < waiting.length) this.#send(client, waiting[next++] as number, freed);
      else free.push(client);
    };
    const arrive = (): void => {
      const until = Math.min(performance.now(), this.#endsAt);
      const due = Math.floor(((until - this.#began) * rate) / 1_000);
      for (; arrived < due; arrived++) {
        const arrival = this.#began + (arrived * 1_000) / rate;
        const client = free.pop();
        if (client) this.#send(client, arrival, freed);
        else waiting.push(arrival);
      }
      if (performance.now() < this.#endsAt) return;
      clearInterval(timer);
      if (this.#open === 0) this.#finished();
    };
    const timer = setInterval(arrive, TICK_MS);
    await this.#untilAnswered();
    return await this.#result(waiting.length - next);
  }

  #send(client: Client, arrival: number, done: (client: Client) => void): void {
    this.#sent += 1;
    this.#open += 1;
    const sent = performance.now();
    let status = 0;
    const finish = (): void => {
      this.#open -= 1;
      this.#count(status, arrival, sent);
      // When nothing listens, an immediate retry would only burn CPU.
      if (status === 0) setTimeout(done, BROKEN_PAUSE_MS, client);
      else done(client);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: () => undefined,
      onResponseEnd: finish,
      onResponseError: () => {
        status = 0;
        finish();
      },
    };
    client.dispatch(this.#next(), handler);
  }

  #count(status: number, arrival: number, sent: number): void {
    if (status === 0) {
      this.#broken += 1;
      return;
    }
    const now = performance.now();
    this.#answers[status] = (this.#answers[status] ?? 0) + 1;
    const kind = status >= 200 && status <= 299 ? 'ok' : status === 503 ? 'refused' : undefined;
    if (kind === undefined) return;
    this.#sinceArrival[kind].record(Math.max(1, Math.round((now - arrival) * 1_000)));
    this.#sinceSent[kind].record(Math.max(1, Math.round((now - sent) * 1_000)));
    if (kind === 'refused') return;
    this.#okAtAll += 1;
    if (now < this.#endsAt) this.#okInTime += 1;
  }

  #untilAnswered(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#job.seconds * 1_000 + GRACE_MS);
      this.#finished = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #result(unsent = 0): Promise<LoadResult> {
    const result: LoadResult = {
      seconds: this.#job.seconds,
      sent: this.#sent,
      answers: { ...this.#answers },
      okInTime: this.#okInTime,
      ok: this.#okAtAll,
      unanswered: this.#broken + this.#open,
      unsent,
      latency: latenciesOf(this.#sinceArrival),
      sentLatency: latenciesOf(this.#sinceSent),
    };
    await Promise.all(this.#clients.map((client) => client.destroy()));
    return result;
  }
}

function latenciesOf({ ok, refused }: ReturnType<typeof newHistograms>): Latencies {
  return { ok: latencyOf(ok), refused: latencyOf(refused) };
}

function latencyOf(histogram: RecordableHistogram): Latency | null {
  if (histogram.count === 0) return null;
  const ms = (percent: number): number => histogram.percentile(percent) / 1_000;
  return { p50: ms(50), p95: ms(95), p99: ms(99), max: histogram.max / 1_000 };
}
