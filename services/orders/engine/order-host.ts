/** The actors of orders: the generic actor host with the ports of an order. */
import { decide } from '../../../machines/order/order.decide.ts';
import type { Decision, Order, OrderEvent } from '../../../machines/order/order.ts';
import type { Effect } from '../../../machines/order/order.words.ts';
import { IllegalTransition } from '../../../machines/shared/failure.ts';
import { ActorHost } from '../../../mixins/actor/actor-host.ts';
import type { ActorPolicy, Due } from '../../../mixins/actor/actor.ts';
import type { Clock } from '../../../mixins/actor/clock.ts';
import type { OrderPort } from '../store/order.port.ts';
import { orderChange } from './order-change.ts';
import { Absent, type OrderSaga, Refused } from './saga.ts';

const MAX_MAILBOX = 64;

/** The order actors of this node. */
export type OrderHost = ActorHost<Order, OrderEvent, Decision, Effect>;

/** How a node retries owed work. */
export type RetryTerms = Pick<ActorPolicy, 'node' | 'retryBaseMs' | 'retryCapMs' | 'maxAttempts'>;

/** A failed attempt at owed work: retry after a pause, or park. */
export type Setback = Extract<Due, { at: 'pause' | 'parked' }>;

/** Called after a setback is saved. */
export type OnSetback = (order: Order, setback: Setback) => void;

/** Creates the actor host of a node. */
export function orderHost(
  store: OrderPort,
  saga: OrderSaga,
  terms: RetryTerms,
  clock: Clock,
  onSetback: OnSetback = () => undefined,
): OrderHost {
  return new ActorHost(
    {
      decide,
      after: (decision) => decision.order,
      owed: (order) => order.state.owed.map((owed) => owed.effect),
      load: (id) => store.load(id),
      save: (change) => {
        const saving = store.save(orderChange(change, clock.now()));
        const { due } = change;
        if (due.at !== 'pause' && due.at !== 'parked') return saving;
        return saving.then((saved) => {
          if (saved) onSetback(saved.state, due);
          return saved;
        });
      },
      perform: (effect, memory) => saga.perform(effect, memory.state),
      isAbsence: (error) => error instanceof Absent,
      isFinal: (error) => error instanceof Refused,
      isRefusal: (error) => error instanceof IllegalTransition,
      now: () => clock.now(),
    },
    { ...terms, noun: 'order', maxMailbox: MAX_MAILBOX, random: () => clock.random() },
  );
}
