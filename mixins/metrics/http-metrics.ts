/** Counts and times a gateway's requests, and counts what it refuses, in the broker's metric registry. */
import type { MetricRegistry } from 'moleculer';
import {
  CONNECTIONS_REFUSED_TOTAL,
  HTTP_REQUEST_DURATION_SECONDS,
  HTTP_REQUESTS_TOTAL,
  OPEN_STREAMS,
  RATE_LIMITED_TOTAL,
} from './metric-names.ts';

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of one gateway. Does nothing when the broker's metrics are off. */
export class HttpMetrics {
  readonly #registry: MetricRegistry;

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
    registry.register({
      type: 'counter',
      name: HTTP_REQUESTS_TOTAL,
      description: 'Answered HTTP requests',
      labelNames: ['method', 'route', 'status'],
    });
    registry.register({
      type: 'histogram',
      name: HTTP_REQUEST_DURATION_SECONDS,
      description: 'Seconds from the headers of an HTTP request to its answer',
      labelNames: ['method', 'route'],
      buckets: DURATION_BUCKETS_S,
    });
    registry.register({
      type: 'counter',
      name: RATE_LIMITED_TOTAL,
      description: 'Requests refused with 429',
      labelNames: ['by'],
    });
    registry.register({
      type: 'counter',
      name: CONNECTIONS_REFUSED_TOTAL,
      description: 'Connections closed at once because there were too many',
    });
    registry.register({ type: 'gauge', name: OPEN_STREAMS, description: 'Open streams' });
    this.streams(0);
  }

  observe(method: string, route: string, status: number, seconds: number): void {
    this.#registry.increment(HTTP_REQUESTS_TOTAL, { method, route, status });
    this.#registry.observe(HTTP_REQUEST_DURATION_SECONDS, seconds, { method, route });
  }

  /** Counts a request refused with 429, by whose limit it exceeded. */
  limited(by: 'caller' | 'address'): void {
    this.#registry.increment(RATE_LIMITED_TOTAL, { by });
  }

  /** Shows how many streams are open. */
  streams(open: number): void {
    this.#registry.set(OPEN_STREAMS, open);
  }

  /** Counts a connection closed because there were too many. */
  connectionRefused(): void {
    this.#registry.increment(CONNECTIONS_REFUSED_TOTAL);
  }
}
