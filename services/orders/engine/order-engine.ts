/** The engine of one node of orders: actors, placing and recovery, wired to a store and to a way of calling peers. */
import { type Clock, SYSTEM_CLOCK } from '../../../mixins/actor/clock.ts';
import { Recovery } from '../../../mixins/actor/recovery.ts';
import type { OutageWatch } from '../../../mixins/database/outage-log.ts';
import type { Claimed, OrderPort } from '../store/order.port.ts';
import { expiry, hasExpired } from './expiry.ts';
import { type OnSetback, type OrderHost, orderHost, type RetryTerms } from './order-host.ts';
import { OrderPlacing } from './placing.ts';
import { OrderSaga, type Peers } from './saga.ts';

/** How a node works. Milliseconds. */
export interface EngineTerms extends RetryTerms {
  callTimeoutMs: number;
  /** How long an order may stay PENDING_CHECK; the store measures it, here it is the reason that is given. */
  pendingTtlMs: number;
  maxInFlight: number;
  /** Owed orders taken up a second at most. */
  recoveryRate: number;
  recoveryTickMs: number;
  /** Whether recovery may take up work now; always by default. */
  mayClaim?: () => boolean;
}

export interface OrderEngine {
  host: OrderHost;
  placing: OrderPlacing;
  /** Not started. */
  recovery: Recovery<Claimed>;
}

/** Told how the engine fares. */
export interface EngineWatch {
  /** Of every claim of recovery, and of every order that it could not go on with. */
  recovery: OutageWatch;
  /** Of every order that was placed, and whether it could be carried on. */
  carryOn: OutageWatch;
  onSetback?: OnSetback;
}

export function orderEngine(
  store: OrderPort,
  peers: Peers,
  terms: EngineTerms,
  watch: EngineWatch,
  clock: Clock = SYSTEM_CLOCK,
): OrderEngine {
  const host = orderHost(store, new OrderSaga(peers, terms.callTimeoutMs), terms, clock, watch.onSetback);
  const { maxInFlight } = terms;
  return {
    host,
    placing: new OrderPlacing(store, host, { maxInFlight, watch: watch.carryOn, clock }),
    recovery: recoveryOf(store, peers, host, terms, watch.recovery, clock),
  };
}

function recoveryOf(
  store: OrderPort,
  peers: Peers,
  host: OrderHost,
  terms: EngineTerms,
  watch: OutageWatch,
  clock: Clock,
): Recovery<Claimed> {
  const event = expiry(terms.pendingTtlMs);
  return new Recovery<Claimed>(
    {
      claim: async (limit) => {
        if (terms.mayClaim?.() === false) return [];
        // What nobody could be asked for from here is left to nodes that can.
        const claimed = await store.claimDue(limit, peers.away());
        watch.worked();
        return claimed;
      },
      resume: async (claimed) => {
        const { memory } = claimed;
        if (hasExpired(claimed)) await host.tell(memory.id, { event });
        else await host.resume(memory);
      },
      onFailure: (error) => watch.failed(error),
    },
    { ratePerSecond: terms.recoveryRate, maxConcurrent: terms.recoveryRate, tickMs: terms.recoveryTickMs },
    clock,
  );
}
