/** Placing an order: once for each key and for each body that is still pending, however often it is sent. */
import { hash } from 'node:crypto';
import { IdempotencyKeyInUse, IdempotencyKeyReused, OrderPending } from '../../../machines/order/order.failures.ts';
import { Overloaded } from '../../../machines/shared/failure.ts';
import { IdGenerator, uuidOf } from '../../../machines/shared/ids.ts';
import {
  type Decision,
  type Order,
  type OrderEvent,
  type OrderRequest,
  orderNumberOf,
} from '../../../machines/order/order.ts';
import { place } from '../../../machines/order/order.decide.ts';
import type { ActorHost } from '../../../mixins/actor/actor-host.ts';
import { type Clock, SYSTEM_CLOCK } from '../../../mixins/actor/clock.ts';
import { answerOf } from '../orders.view.ts';
import type { PlacedOrder } from '../orders.types.ts';
import type { Placement } from '../store/insert-orders.ts';
import type { OrderMemory } from '../store/order.row.ts';
import type { Earlier, OrderPort } from '../store/order.port.ts';

export type OrderHost = ActorHost<Order, OrderEvent, Decision>;

/** The caller of everyone who is not told apart from others. */
export const ANONYMOUS = 'anonymous';

/** An order as a caller sends it, with what makes a repeat recognisable. */
export interface Submission extends OrderRequest {
  caller: string;
  key: string | null;
}

/** Ids are drawn anew when another node drew the same; that takes the same slot in the same millisecond. */
const MAX_DRAWS = 5;

export class OrderPlacing {
  readonly #store: OrderPort;
  readonly #host: OrderHost;
  readonly #maxInFlight: number;
  readonly #clock: Clock;
  readonly #ids: IdGenerator;

  constructor(store: OrderPort, host: OrderHost, limits: { maxInFlight: number }, clock: Clock = SYSTEM_CLOCK) {
    this.#store = store;
    this.#host = host;
    this.#maxInFlight = limits.maxInFlight;
    this.#clock = clock;
    this.#ids = new IdGenerator(clock.randomBytes(1)[0] as number);
  }

  /**
   * Places an order, or carries on the one that an earlier copy of this request placed. Resolves when it is confirmed.
   * @throws InsufficientStock or OrderCancelled (the order is CANCELLED); OrderPending (it is safe and goes on by
   * itself); IdempotencyKeyReused or IdempotencyKeyInUse; Overloaded or ServiceUnavailable without an order id
   * (nothing was promised).
   */
  async place(submission: Submission): Promise<PlacedOrder> {
    if (this.#host.size >= this.#maxInFlight) {
      throw new Overloaded(
        'More orders are under way than can be finished in time. Nothing was written: send this one again later',
      );
    }
    const fingerprint = fingerprintOf(submission);
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const at = this.#clock.now();
      const id = this.#ids.next(at);
      const decision = place(submission, id, uuidOf(id, this.#clock.randomBytes(8)), at);
      const placement: Placement = { decision, caller: submission.caller, key: submission.key, fingerprint };
      const placed = await this.#store.insert(placement);
      if (placed) return this.#carryOn(placed);
      const earlier = await this.#store.earlier(placement);
      if (earlier) return this.#repeat(placement, earlier);
      const own = await this.#store.load(id);
      if (own?.state.uuid === decision.order.uuid) return this.#carryOn(own);
    }
    throw new Overloaded('No free order number was found. Nothing was written: send the order again');
  }

  async #carryOn(memory: OrderMemory): Promise<PlacedOrder> {
    const after = await this.#host.resume(memory).catch(() => undefined);
    // The order is written, so its number is answered whatever fails now: it is what the caller can ask for.
    return answerOf(after?.state ?? memory.state, null, false);
  }

  async #repeat({ decision, key, fingerprint }: Placement, earlier: Earlier): Promise<PlacedOrder> {
    const { memory, answer, running } = earlier;
    // An insert whose answer was lost and that was tried again finds itself.
    if (memory.state.uuid === decision.order.uuid) return this.#carryOn(memory);
    if (key !== null && earlier.fingerprint !== fingerprint) {
      throw new IdempotencyKeyReused(
        'This Idempotency-Key was used with another body. Send a new key, or the first body again',
      );
    }
    if (memory.state.state.status !== 'PENDING_CHECK') return answerOf(memory.state, answer, true);
    if (key !== null && running) {
      throw new IdempotencyKeyInUse(
        'The first request with this Idempotency-Key is still running. Repeat this one in a moment',
      );
    }
    if (this.#host.has(memory.id))
      return answerOf((await this.#host.join(memory.id))?.state ?? memory.state, null, false);
    const claimed = await this.#store.claimOne(memory.id);
    if (claimed) return this.#carryOn(claimed.memory);
    // Another node has just taken it up.
    throw new OrderPending('The order is taken and another node works on it. Ask for it in a moment', {
      orderId: memory.id,
      orderNumber: orderNumberOf(memory.state),
      status: memory.state.state.status,
    });
  }
}

/**
 * 128 bits of a body and of who sent it. Two bodies that mean the same order have the same: the order of JSON's keys
 * does not count.
 */
function fingerprintOf(submission: Submission): string {
  const { caller, customerId, customerName, deliveryAddress, carrier, items } = submission;
  const body = [
    // Left out where it says nothing: stored fingerprints stay what they are.
    ...(caller === ANONYMOUS ? [] : [caller]),
    customerId,
    customerName,
    deliveryAddress,
    carrier,
    ...items.flatMap((item) => [item.productId, item.quantity]),
  ];
  return hash('sha256', JSON.stringify(body)).slice(0, 32);
}
