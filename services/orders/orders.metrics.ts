/** Exports the backlog of orders as metrics: how many wait, for what, and how long. */
import type { MetricRegistry, ServiceBroker } from 'moleculer';
import { onScrape } from '../../mixins/metrics/scrape.ts';
import type { Backlog, StateQueries } from './store/state.queries.ts';

/** Gauge of orders that wait for a peer service, -1 while they cannot be counted. Label: `waiting_for`. */
export const ORDERS_OWED = 'waybill_orders_owed';

/** Gauge of orders whose work is parked for an operator, -1 while they cannot be counted. */
export const ORDERS_PARKED = 'waybill_orders_parked';

/** Gauge of seconds that the longest waiting order has waited, parked ones included; -1 while unknown. */
export const ORDERS_OLDEST_WAIT_SECONDS = 'waybill_orders_oldest_wait_seconds';

const UNKNOWN: Backlog = { owed: { inventory: -1, tracking: -1 }, parked: -1, oldestWaitS: -1 };

/** Exports the backlog as gauges, measured at each scrape. Returns a function that ends it. */
export function showOwed(broker: ServiceBroker, states: StateQueries): () => void {
  const { metrics } = broker;
  register(metrics);
  return onScrape(broker, async () => {
    // The gauges' descriptions document -1 for an unavailable database.
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
  gauge(ORDERS_OWED, 'Orders waiting for a peer service, -1 while they cannot be counted', ['waiting_for']);
  gauge(ORDERS_PARKED, 'Orders waiting for an operator, -1 while they cannot be counted');
  gauge(ORDERS_OLDEST_WAIT_SECONDS, 'How long the longest-waiting order has waited, in seconds, -1 while unknown');
}
