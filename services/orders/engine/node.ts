/** The orders of one node, put together: the store, the engine on it, and what is looked after beside them. */
import type { Service, ServiceBroker } from 'moleculer';
import { type Peer, PEERS } from '../../../machines/order/order.words.ts';
import { SYSTEM_CLOCK } from '../../../mixins/actor/clock.ts';
import type { WithDatabase } from '../../../mixins/database/database.mixin.ts';
import { type OutageWatch, outageLog } from '../../../mixins/database/outage-log.ts';
import { isLoggedOutage, orUnavailable } from '../../../mixins/database/sql-failure.ts';
import type { WithOutbox } from '../../../mixins/events/outbox/outbox.mixin.ts';
import { canReach } from '../../../mixins/mesh/reach.ts';
import { settingsOf } from '../../../mixins/settings/settings.ts';
import { showOwed } from '../orders.metrics.ts';
import { readOrdersSettings } from '../orders.settings.ts';
import { OrderQueries } from '../store/order.queries.ts';
import { OrderStore } from '../store/order.store.ts';
import { StateQueries } from '../store/state.queries.ts';
import { KEY_TTL_MS } from './idempotency.ts';
import { type EngineWatch, orderEngine } from './order-engine.ts';
import type { OrderHost } from './order-host.ts';
import type { OrderPlacing } from './placing.ts';
import type { Peers } from './saga.ts';

const RECOVERY_TICK_MS = 250;
const FORGET_KEYS_EVERY_MS = 60_000;

/** What a started service has of its orders. */
export interface OrdersNode {
  store: OrderStore;
  queries: OrderQueries;
  states: StateQueries;
  host: OrderHost;
  placing: OrderPlacing;
  /** Takes up nothing more, and resolves when everything under way is done. */
  stopNode(): Promise<void>;
}

/** A service whose mixins have started. */
type Started = Pick<Service, 'broker' | 'logger'> & WithDatabase & WithOutbox;

/** Starts it, recovery included: from now on the node takes up what is owed. */
export function startNode({ broker, database, outbox, logger }: Started): OrdersNode {
  const settings = readOrdersSettings(settingsOf(broker).reader);
  const node = broker.nodeID;
  const store = new OrderStore(
    database,
    { node, leaseMs: settings.leaseMs, ttlMs: settings.pendingTtlMs },
    {
      wrote: () => outbox.wake(),
      unfit: (id, error) => logger.error(`Order ${id} cannot be read, and is set aside for a while:`, error.message),
    },
  );
  const mayClaim = (): boolean => database.clock.isRight;
  const terms = { node, ...settings, recoveryTickMs: RECOVERY_TICK_MS, mayClaim };
  // Order ids and times are the database's, so that lists are in order whichever node took an order.
  const clock = { ...SYSTEM_CLOCK, now: () => database.clock.now() };
  const { host, placing, recovery } = orderEngine(store, peersOver(broker), terms, engineLog(logger), clock);
  const states = new StateQueries(database);
  const endOfGauges = showOwed(broker, states);
  const endOfForgetting = forgetKeys(store, logger);
  recovery.start();
  return {
    store,
    queries: new OrderQueries(database),
    states,
    host,
    placing,
    async stopNode() {
      endOfGauges();
      endOfForgetting();
      await recovery.stop();
      await host.drained();
      await store.drained();
    },
  };
}

/** An action of each peer: who offers it offers the others as well. */
const OFFERED: Record<Peer, string> = { inventory: 'inventory.reserve', tracking: 'tracking.createShipment' };

function peersOver(broker: ServiceBroker): Peers {
  return {
    call: (action, params, options) => broker.call(action, params, options),
    away: () => PEERS.filter((peer) => !canReach(broker, OFFERED[peer])),
  };
}

function engineLog(logger: Service['logger']): EngineWatch {
  return {
    recovery: told(logger, 'Recovery cannot go on now and tries again', 'Recovery goes on'),
    carryOn: told(
      logger,
      'Orders that were just placed cannot be read again, and are left to recovery',
      'Orders that were just placed are read again',
    ),
    onSetback(order, setback) {
      const story = `Order ${order.id} (request ${order.requestId}): ${setback.lastError}; attempt ${setback.attempt}`;
      if (setback.at === 'parked') logger.error(`${story}, the last. It waits for an operator's retry`);
      else logger.debug(`${story}, the next in ${setback.pauseMs} ms`);
    },
  };
}

/** The log of one kind of work. What the database's own log tells is not told again. */
function told(logger: Service['logger'], failing: string, working: string): OutageWatch {
  return outageLog(logger, { failing, working }, (error) => {
    if (isLoggedOutage(error)) return undefined;
    return error instanceof Error ? error.message : String(error);
  });
}

/** Forgets idempotency keys from time to time once they are old enough. Answers the end of that. */
function forgetKeys(store: OrderStore, logger: Service['logger']): () => void {
  const { failed, worked } = told(
    logger,
    'Old idempotency keys cannot be deleted now, and are a minute later',
    'Old idempotency keys are deleted again',
  );
  const forget = (): void => void orUnavailable(store.forgetKeys(KEY_TTL_MS)).then(worked, failed);
  const timer = setInterval(forget, FORGET_KEYS_EVERY_MS);
  return () => clearInterval(timer);
}
