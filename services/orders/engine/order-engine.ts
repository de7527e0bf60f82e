/** The orders engine of a node: actors, placing and recovery, wired to a store and to the peers. */
import { type Clock, SYSTEM_CLOCK } from '../../../mixins/actor/clock.ts';
import { Recovery } from '../../../mixins/actor/recovery.ts';
import type { OutageWatch } from '../../../mixins/database/outage-log.ts';
import type { Claimed, OrderPort } from '../store/order.port.ts';
import { expiry, hasExpired } from './expiry.ts';
import { type OnSetback, type OrderHost, orderHost, type RetryTerms } from './order-host.ts';
import { OrderPlacing } from './placing.ts';
import { OrderSaga, type Peers } from './saga.ts';

/** The parameters of the engine. Durations are in milliseconds. */
export interface EngineTerms extends RetryTerms {
  callTimeoutMs: number;
  /** How long an order may stay PENDING_CHECK, for the reason of its expiry; the store measures it. */
  pendingTtlMs: number;
  maxInFlight: number;
  /** The maximum number of due orders claimed per second. */
  recoveryRate: number;
  recoveryTickMs: number;
  /** Whether recovery may claim work now; always by default. */
  mayClaim?: () => boolean;
}

export interface OrderEngine {
  host: OrderHost;
  placing: OrderPlacing;
  /** Not started. */
  recovery: Recovery<Claimed>;
}

/** Observes the engine. */
export interface EngineWatch {
  /** Observes every claim of recovery, and every order that it failed to resume. */
  recovery: OutageWatch;
  /** Observes whether newly placed orders could be processed. */
  carryOn: OutageWatch;
  onSetback?: OnSetback;
}

/** Wires an engine together. Nothing runs until its recovery is started. */
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
        // Orders that wait for an unreachable peer are left to nodes that can reach it.
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
