/** The job of the load generator and its result. Both cross between processes as JSON. */

/** New orders of two lines each. */
export interface OrderTraffic {
  readonly kind: 'orders';
  /** Products 1 to this. */
  readonly products: number;
  /** Every order holds product 1. */
  readonly hot: boolean;
  /** Each request carries an Idempotency-Key of its own. */
  readonly keyed: boolean;
  /** Customers from here, one an order, so that no order is the repeat of another. */
  readonly firstCustomer: number;
}

/** Reads of one path, in which `*` stands for a number drawn anew each time: `first + n * step`, n below `count`. */
export interface ReadTraffic {
  readonly kind: 'reads';
  readonly path: string;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export type Traffic = OrderTraffic | ReadTraffic;

export interface Job {
  /** Where to; connections are dealt out in turn. */
  readonly urls: readonly string[];
  readonly traffic: Traffic;
  readonly connections: number;
  readonly seconds: number;
  /** Requests that arrive a second, whatever becomes of those before; undefined: each waits for the one before it. */
  readonly rate?: number;
  /** The same seed sends the same requests. */
  readonly seed: number;
}

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface Latencies {
  readonly ok: Latency | null;
  readonly refused: Latency | null;
}

export interface LoadResult {
  readonly seconds: number;
  readonly sent: number;
  /** Answers by status, those after the end of the time included. */
  readonly answers: Readonly<Record<string, number>>;
  /** 2xx answers within the time. */
  readonly okInTime: number;
  /** 2xx answers at all. */
  readonly ok: number;
  /** Requests without an answer: a broken connection, or none after the grace. */
  readonly unanswered: number;
  /** Requests that found no free connection until the end of the time. */
  readonly unsent: number;
  /** Of 2xx answers, and of 503s; from the moment a request arrived, so waiting for a connection counts. */
  readonly latency: Latencies;
  /** The same from the moment it was sent: what the server itself took. */
  readonly sentLatency: Latencies;
}
