/** Shows how much work is owed, by whom it is held up and for how long, in the metrics of this process. */
import type { MetricRegistry, ServiceBroker } from 'moleculer';
import type { Peer } from '../../machines/order/order.words.ts';
import type { Database } from '../../mixins/database/database.ts';
import { columns, selected, table } from '../../mixins/database/model.ts';
import { ORDERS_OLDEST_WAIT_SECONDS, ORDERS_OWED, ORDERS_PARKED } from '../../mixins/metrics/metric-names.ts';
import { onScrape } from '../../mixins/metrics/scrape.ts';
import { OrderModel } from './models/order.model.ts';
import { owedIn, type StateColumns } from './engine/owed.ts';

interface Figures {
  owed: Record<Peer, number>;
  parked: number;
  oldestWaitS: number;
}

const UNKNOWN: Figures = { owed: { inventory: -1, tracking: -1 }, parked: -1, oldestWaitS: -1 };

interface Group extends StateColumns {
  parked: boolean;
  orders: number;
  waitedS: number | null;
}

const ORDER = columns(OrderModel);
// Both conditions have a partial index: what is at rest, which is nearly everything, is not looked at.
const OWED = {
  name: 'orders.owed',
  text: `SELECT ${selected(OrderModel, ['status', 'stockState', 'shipmentState', 'machineVersion'])},
      ${ORDER.parkedAt} IS NOT NULL AS parked, count(*)::int AS orders,
      extract(epoch FROM now() - min(${ORDER.waitingSince}))::float8 AS "waitedS"
    FROM ${table(OrderModel)} WHERE ${ORDER.dueAt} IS NOT NULL OR ${ORDER.parkedAt} IS NOT NULL GROUP BY 1, 2, 3, 4, 5`,
};

/** Keeps the gauges of owed work, measured when they are read. Answers their end. */
export function showOwed(broker: ServiceBroker, database: Database): () => void {
  const { metrics } = broker;
  register(metrics);
  return onScrape(broker, async () => {
    const { owed, parked, oldestWaitS } = await measure(database).catch(() => UNKNOWN);
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

async function measure(database: Database): Promise<Figures> {
  const { rows } = await database.query<Group>(OWED);
  const figures: Figures = { owed: { inventory: 0, tracking: 0 }, parked: 0, oldestWaitS: 0 };
  for (const group of rows) {
    figures.oldestWaitS = Math.max(figures.oldestWaitS, group.waitedS ?? 0);
    // As `explain` says it: an order waits for the peer of what it owes first.
    const waitingFor = owedIn(group)[0]?.from;
    if (group.parked) figures.parked += group.orders;
    else if (waitingFor) figures.owed[waitingFor] += group.orders;
  }
  return figures;
}
