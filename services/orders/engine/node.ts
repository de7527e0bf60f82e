/** Assembles the orders of a node: the store, the engine, metrics and housekeeping. */
import type { Service, ServiceBroker } from 'moleculer';
import { type Peer, PEERS } from '../../../machines/order/order.words.ts';
import { SYSTEM_CLOCK } from '../../../mixins/actor/clock.ts';
import type { WithDatabase } from '../../../mixins/database/database.mixin.ts';
import { type OutageWatch, outageLog } from '../../../mixins/database/outage-log.ts';
import { isLoggedOutage } from '../../../mixins/database/sql-failure.ts';
import type { WithOutbox } from '../../../mixins/events/outbox/outbox.mixin.ts';
import { canReach } from '../../../mixins/mesh/reach.ts';
import { about } from '../../../mixins/process/log-format.ts';
import { settingsOf } from '../../../mixins/settings/settings.ts';
import { showOwed } from '../orders.metrics.ts';
import { readOrdersSettings } from '../orders.settings.ts';
import { FeedQueries } from '../store/feed.queries.ts';
import { OrderQueries } from '../store/order.queries.ts';
import { OrderStore } from '../store/order.store.ts';
import { StateQueries } from '../store/state.queries.ts';
import { KEY_TTL_MS } from './idempotency.ts';
import { type EngineWatch, orderEngine } from './order-engine.ts';
import type { OrderHost } from './order-host.ts';
import type { OrderPlacing } from './placing.ts';
import type { Peers } from './saga.ts';

const RECOVERY_TICK_MS = 250;
const FORGET_EVERY_MS = 60_000;

/** The parts of a started orders service. */
export interface OrdersNode {
  store: OrderStore;
  queries: OrderQueries;
  states: StateQueries;
  feed: FeedQueries;
  host: OrderHost;
  placing: OrderPlacing;
  /** Stops claiming work, and resolves when everything in progress is done. */
  stopNode(): Promise<void>;
}

/** A service whose mixins have started. */
type Started = Pick<Service, 'broker' | 'logger'> & WithDatabase & WithOutbox;

/** Starts the engine and its recovery. */
export function startNode({ broker, database, outbox, logger }: Started): OrdersNode {
  const settings = readOrdersSettings(settingsOf(broker).reader);
  const node = broker.nodeID;
  const store = new OrderStore(
    database,
    { node, leaseMs: settings.leaseMs, ttlMs: settings.pendingTtlMs },
    {
      wrote: () => outbox.wake(),
      unfit: (id, error) =>
        logger.error(`Cannot read order ${id}; will retry later:`, error.message, about({ order_id: id })),
    },
  );
  const mayClaim = (): boolean => database.clock.isRight;
  const terms = { node, ...settings, recoveryTickMs: RECOVERY_TICK_MS, mayClaim };
  // Order ids and times use the database's clock, so that lists are sorted whichever node accepted an order.
  const clock = { ...SYSTEM_CLOCK, now: () => database.clock.now() };
  const { host, placing, recovery } = orderEngine(store, peersOver(broker), terms, engineLog(logger), clock);
  const states = new StateQueries(database);
  const feed = new FeedQueries(database);
  const endOfGauges = showOwed(broker, states);
  const endOfForgetting = forget(store, feed, logger);
  const endOfTakeovers = takeOver(broker, store, logger);
  recovery.start();
  return {
    store,
    queries: new OrderQueries(database),
    states,
    feed,
    host,
    placing,
    async stopNode() {
      endOfGauges();
      endOfForgetting();
      endOfTakeovers();
      await recovery.stop();
      await host.drained();
      await store.drained();
    },
  };
}

/** One action of each peer, which stands for all of them. */
const OFFERED: Record<Peer, string> = { inventory: 'inventory.reserve', tracking: 'tracking.createShipment' };

function peersOver(broker: ServiceBroker): Peers {
  return {
    call: (action, params, options) => broker.call(action, params, options),
    away: () => PEERS.filter((peer) => !canReach(broker, OFFERED[peer])),
  };
}

function engineLog(logger: Service['logger']): EngineWatch {
  return {
    recovery: outagesOf(logger, 'Recovery failed, retrying', 'Recovery works again'),
    carryOn: outagesOf(
      logger,
      'New orders cannot be processed right away and are left to recovery',
      'New orders are processed right away again',
    ),
    onSetback(order, setback) {
      const failed = `Order ${order.id} (request ${order.requestId}) failed attempt ${setback.attempt}: ${setback.lastError}`;
      const fields = about({ order_id: order.id, request_id: order.requestId, attempt: setback.attempt });
      if (setback.at === 'parked') logger.error(`${failed}. Parked: resolve the cause, then retry the order`, fields);
      else logger.debug(`${failed}. Next attempt in ${setback.pauseMs} ms`, fields);
    },
  };
}

/** Logs when a kind of work fails and recovers, except for outages that the database logs itself. */
function outagesOf(logger: Service['logger'], failing: string, working: string): OutageWatch {
  return outageLog(logger, { failing, working }, (error) => {
    if (isLoggedOutage(error)) return undefined;
    return error instanceof Error ? error.message : String(error);
  });
}

/**
 * Takes over the orders of nodes that disappear without a goodbye, instead of waiting for the end of their leases. Returns a
 * function that ends it.
 */
function takeOver(broker: ServiceBroker, store: OrderStore, logger: Service['logger']): () => void {
  const gone = ({ node, unexpected }: { node: { id: string }; unexpected: boolean }): void => {
    if (!unexpected) return;
    store.endLeases(node.id).then(
      (count) => count > 0 && logger.info(`Node ${node.id} is gone: its ${count} orders in progress are taken over`),
      (error: Error) =>
        logger.debug(`The orders of node ${node.id} are taken over when their leases end: ${error.message}`),
    );
  };
  broker.localBus.on('$node.disconnected', gone);
  return () => broker.localBus.off('$node.disconnected', gone);
}

/** Periodically deletes expired idempotency keys and old rows of the feed. Returns a function that ends it. */
function forget(store: OrderStore, feed: FeedQueries, logger: Service['logger']): () => void {
  const { failed, worked } = outagesOf(
    logger,
    'Expired idempotency keys and old rows of the feed cannot be deleted, retrying in a minute',
    'Expired idempotency keys and old rows of the feed are deleted again',
  );
  const end = new AbortController();
  const look = async (): Promise<void> => {
    while ((await store.forgetKeys(KEY_TTL_MS)) && !end.signal.aborted);
    while ((await feed.prune()) && !end.signal.aborted);
  };
  const timer = setInterval(() => void look().then(worked, failed), FORGET_EVERY_MS);
  return () => {
    end.abort();
    clearInterval(timer);
  };
}
