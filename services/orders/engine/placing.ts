/** Places orders: exactly once per idempotency key, and per body that is still pending. */
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

/** Attempts to draw an id that no other node has drawn. Collisions need the same slot in the same millisecond. */
const MAX_DRAWS = 5;

export interface PlacingOptions {
  /** The maximum number of orders in progress on this node; beyond it none are accepted. */
  maxInFlight: number;
  /** Observes whether newly placed orders could be processed. */
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
   * Places an order, or resumes the one that an earlier copy of this request placed. Resolves when it is confirmed.
   * @throws InsufficientStock or OrderCancelled (the order is CANCELLED); OrderPending (it is stored and continues
   * without this request); IdempotencyKeyReused or IdempotencyKeyInUse; Overloaded or ServiceUnavailable without an
   * order id (no order was promised).
   */
  async place(submission: Submission): Promise<PlacedOrder> {
    if (this.#host.size >= this.#maxInFlight) {
      throw new Overloaded('The engine is at capacity. Nothing was written: retry later');
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
    throw new Overloaded('Could not find a free order number. Nothing was written: retry');
  }

  async #carryOn(memory: OrderMemory): Promise<PlacedOrder> {
    let after: OrderMemory | undefined;
    try {
      after = await this.#host.resume(memory);
      this.#watch.worked();
    } catch (error) {
      // The order is stored, so answer with its number whatever fails now: the caller can then read it.
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

  /** Waits for a pending order that an earlier request placed, or resumes it if no node works on it. */
  async #join(memory: OrderMemory): Promise<PlacedOrder> {
    const { id, state } = memory;
    if (this.#host.has(id)) return answerOf((await this.#host.join(id))?.state ?? state);
    const claimed = await this.#store.claimOne(id);
    if (claimed) return this.#carryOn(claimed.memory);
    throw pending(state, 'The order is accepted and another node is processing it. Check the order in a moment');
  }
}
