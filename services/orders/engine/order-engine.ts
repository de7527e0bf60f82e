/** The engine of one node of orders: actors, placing and recovery, wired to a store and to a way of calling peers. */
import { IllegalTransition } from '../../../machines/shared/failure.ts';
import { decide } from '../../../machines/order/order.decide.ts';
import type { Effect } from '../../../machines/order/order.words.ts';
import type { Order, OrderEvent } from '../../../machines/order/order.ts';
import type { ActorPolicy, Due } from '../../../mixins/actor/actor.ts';
import { ActorHost } from '../../../mixins/actor/actor-host.ts';
import { Recovery, type RecoveryPorts } from '../../../mixins/actor/recovery.ts';
import { type Clock, SYSTEM_CLOCK } from '../../../mixins/actor/clock.ts';
import { orderChange } from './order-change.ts';
import { type OrderHost, OrderPlacing } from './placing.ts';
import { type Caller, OrderSaga, Refused } from './saga.ts';
import type { Claimed, OrderPort } from '../store/order.port.ts';

const MAX_MAILBOX = 64;

/** How a node works. Milliseconds. */
export interface EngineTerms extends Pick<ActorPolicy, 'node' | 'retryBaseMs' | 'retryCapMs' | 'maxAttempts'> {
  callTimeoutMs: number;
  /** How long an order may stay PENDING_CHECK; the store measures it, here it is the reason that is given. */
  pendingTtlMs: number;
  maxInFlight: number;
  /** Owed orders taken up a second at most. */
  recoveryRate: number;
  recoveryTickMs: number;
}

export interface OrderEngine {
  host: OrderHost;
  placing: OrderPlacing;
  /** Not started. */
  recovery: Recovery<Claimed>;
}

/** A failed attempt at what an order owes, and what follows from it. */
export type Setback = Extract<Due, { at: 'pause' | 'parked' }>;

/** Told when recovery cannot go on, after every claim that worked, and of every setback that is written down. */
export interface EngineWatch extends Pick<RecoveryPorts<Claimed>, 'onFailure'> {
  onClaim(): void;
  onSetback?(order: Order, setback: Setback): void;
}

export function orderEngine(
  store: OrderPort,
  broker: Caller,
  terms: EngineTerms,
  watch: EngineWatch,
  clock: Clock = SYSTEM_CLOCK,
): OrderEngine {
  const saga = new OrderSaga(broker, terms.callTimeoutMs);
  const host: OrderHost = new ActorHost(
    {
      decide,
      owed: (order) => order.state.owed.map((owed) => owed.effect),
      load: (id) => store.load(id),
      save: (change) => {
        const saving = store.save(orderChange(change, clock.now()));
        const { due } = change;
        if (due.at !== 'pause' && due.at !== 'parked') return saving;
        return saving.then((saved) => {
          if (saved) watch.onSetback?.(saved.state, due);
          return saved;
        });
      },
      perform: (effect, memory) => saga.perform(effect as Effect, memory.state),
      isFinal: (error) => error instanceof Refused,
      isRefusal: (error) => error instanceof IllegalTransition,
      now: () => clock.now(),
    },
    { ...terms, maxMailbox: MAX_MAILBOX, random: () => clock.random() },
  );
  return {
    host,
    placing: new OrderPlacing(store, host, { maxInFlight: terms.maxInFlight }, clock),
    recovery: recoveryOf(store, host, terms, watch, clock),
  };
}

function recoveryOf(
  store: OrderPort,
  host: OrderHost,
  terms: EngineTerms,
  watch: EngineWatch,
  clock: Clock,
): Recovery<Claimed> {
  const expire: OrderEvent = {
    type: 'EXPIRE',
    reason: `It stayed PENDING_CHECK for longer than ${terms.pendingTtlMs / 1_000} s`,
  };
  return new Recovery<Claimed>(
    {
      claim: async (limit) => {
        const claimed = await store.claimDue(limit);
        watch.onClaim();
        return claimed;
      },
      resume: async ({ memory, expired }) => {
        if (expired) await host.tell(memory.id, { event: expire });
        else await host.resume(memory);
      },
      onFailure: (error) => watch.onFailure(error),
    },
    { ratePerSecond: terms.recoveryRate, maxConcurrent: terms.recoveryRate, tickMs: terms.recoveryTickMs },
    clock,
  );
}

/**
 * Tells an order that its parcel has arrived. Answers its status when nothing can become of that, as for an order that
 * was cancelled. An order that is still PENDING_CHECK has to be told again later.
 * @throws IllegalTransition for such an order.
 */
export async function parcelDelivered(host: OrderHost, orderId: number): Promise<string | undefined> {
  try {
    // Shipments can be made by hand, for orders that are not ours.
    await host.tell(orderId, { event: { type: 'PARCEL_DELIVERED' } });
    return undefined;
  } catch (error) {
    if (!(error instanceof IllegalTransition) || error.data.status === 'PENDING_CHECK') throw error;
    return String(error.data.status);
  }
}
