/** Placing an order: once for each key and for each body that is still pending, however often it is sent. */
import { Overloaded } from '../../../machines/shared/failure.ts';
import { IdGenerator, uuidOf } from '../../../machines/shared/ids.ts';
import { place } from '../../../machines/order/order.decide.ts';
import type { Clock } from '../../../mixins/actor/clock.ts';
import type { OutageWatch } from '../../../mixins/database/outage-log.ts';
import type { PlacedOrder } from '../orders.types.ts';
import type { Earlier, OrderMemory, OrderPort, Placement } from '../store/order.port.ts';
import { fingerprintOf, repeatedAnswer, repeatOf, type Submission } from './idempotency.ts';
import type { OrderHost } from './order-host.ts';
import { answerOf, pending } from './outcome.ts';

/** Ids are drawn anew when another node drew the same; that takes the same slot in the same millisecond. */
const MAX_DRAWS = 5;

export interface PlacingOptions {
  /** Orders under way on this node at most; past it nothing is taken. */
  maxInFlight: number;
  /** Told whether orders could be carried on after they were written. */
  watch: OutageWatch;
  clock: Clock;
}

export class OrderPlacing {
  readonly #store: OrderPort;
  readonly #host: OrderHost;
  readonly #maxInFlight: number;
  readonly #watch: OutageWatch;
  readonly #clock: Clock;
  readonly #ids: IdGenerator;

  constructor(store: OrderPort, host: OrderHost, { maxInFlight, watch, clock }: PlacingOptions) {
    this.#store = store;
    this.#host = host;
    this.#maxInFlight = maxInFlight;
    this.#watch = watch;
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
    let after: OrderMemory | undefined;
    try {
      after = await this.#host.resume(memory);
      this.#watch.worked();
    } catch (error) {
      // The order is written, so its number is answered whatever fails now: it is what the caller can ask for.
      this.#watch.failed(error);
    }
    return answerOf(after?.state ?? memory.state);
  }

  #repeat(placement: Placement, earlier: Earlier): Promise<PlacedOrder> | PlacedOrder {
    switch (repeatOf(placement, earlier)) {
      case 'itself':
        return this.#carryOn(earlier.memory);
      case 'decided':
        return repeatedAnswer(earlier);
      case 'pending':
        return this.#join(earlier.memory);
    }
  }

  /** Goes on with a pending order that an earlier request placed, here or with whoever works on it. */
  async #join(memory: OrderMemory): Promise<PlacedOrder> {
    const { id, state } = memory;
    if (this.#host.has(id)) return answerOf((await this.#host.join(id))?.state ?? state);
    const claimed = await this.#store.claimOne(id);
    if (claimed) return this.#carryOn(claimed.memory);
    throw pending(state, 'The order is taken and another node works on it. Ask for it in a moment');
  }
}
