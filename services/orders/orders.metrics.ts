/** Shows how much work is owed, by whom it is held up and for how long, in the metrics of this process. */
import type { MetricRegistry, ServiceBroker } from 'moleculer';
import { ORDERS_OLDEST_WAIT_SECONDS, ORDERS_OWED, ORDERS_PARKED } from '../../mixins/metrics/metric-names.ts';
import { onScrape } from '../../mixins/metrics/scrape.ts';
import type { Backlog, StateQueries } from './store/state.queries.ts';

const UNKNOWN: Backlog = { owed: { inventory: -1, tracking: -1 }, parked: -1, oldestWaitS: -1 };

/** Keeps the gauges of owed work, measured when they are read. Answers their end. */
export function showOwed(broker: ServiceBroker, states: StateQueries): () => void {
  const { metrics } = broker;
  register(metrics);
  return onScrape(broker, async () => {
    // A database that is away shows as -1, which is what the gauges' descriptions say.
    const { owed, parked, oldestWaitS } = await states.backlog().catch(() => UNKNOWN);
    for (const [peer, orders] of Object.entries(owed)) metrics.set(ORDERS_OWED, orders, { waiting_for: peer });
    metrics.set(ORDERS_PARKED, parked);
    metrics.set(ORDERS_OLDEST_WAIT_SECONDS, oldestWaitS);
  });
}

function register(metrics: MetricRegistry): void {
  const gauge = (name: string, description: string, labelNames: string[] = []): void => {
    if (!metrics.hasMetric(name)) metrics.register({ type: 'gauge', name, description, labelNames });
  };
  gauge(ORDERS_OWED, 'Orders that wait for a peer service, -1 while they cannot be counted', ['waiting_for']);
  gauge(ORDERS_PARKED, 'Orders that wait for an operator, -1 while they cannot be counted');
  gauge(ORDERS_OLDEST_WAIT_SECONDS, 'Seconds that the longest waiting order has waited, -1 while unknown');
}
