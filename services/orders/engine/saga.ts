/** The saga of an order: performs the effects that it owes to its peers, by calls that are safe to repeat. */
import { Unauthenticated } from '../../../mixins/auth/auth.failures.ts';
import { Failure, InternalError } from '../../../machines/shared/failure.ts';
import { parseMoney } from '../../../machines/shared/money.ts';
import type { Order, OrderEvent, OrderShipment } from '../../../machines/order/order.ts';
import type { Effect, Peer } from '../../../machines/order/order.words.ts';
import type { Answer } from '../../../mixins/actor/actor.ts';
import type { StockOrder, StockReply } from '../../inventory/inventory.types.ts';
import type {
  CreateShipmentParams,
  CreateShipmentResult,
  VoidShipmentParams,
  VoidShipmentResult,
} from '../../tracking/tracking.types.ts';

/** A peer refused the effect for good: only an operator can resolve that. */
export class Refused extends Error {}

/** The peer was unreachable, so the effect was not attempted. */
export class Absent extends Error {}

/** The peer services, as reached through a broker. */
export interface Peers {
  /** The peers that this node cannot reach now. */
  away(): readonly Peer[];
  call<Result, Params>(
    action: string,
    params: Params,
    options: { timeout: number; requestID?: string },
  ): Promise<Result>;
}

/** Performs the effects that orders owe. */
export class OrderSaga {
  readonly #peers: Peers;
  readonly #timeoutMs: number;

  /** `timeoutMs` bounds one call; an attempt at `secure` makes two. */
  constructor(peers: Peers, timeoutMs: number) {
    this.#peers = peers;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Performs one effect and returns its result as an event.
   * @throws when the peer is unavailable or refuses: the effect stays owed. After a timeout it may have taken place.
   */
  async perform(effect: Effect, order: Order): Promise<Answer<OrderEvent>> {
    switch (effect) {
      case 'secure':
        return this.#secure(order);
      case 'createShipment':
        return { event: { type: 'SHIPMENT_CREATED', shipment: await this.#createShipment(order) } };
      case 'consume':
        await this.#stock('inventory.consume', order);
        return { event: { type: 'STOCK_CONSUMED' } };
      case 'release':
        await this.#stock('inventory.release', order);
        return { event: { type: 'STOCK_RELEASED' } };
      case 'void':
        await this.#voidShipment(order);
        return { event: { type: 'SHIPMENT_VOIDED' } };
    }
  }

  // Both calls need only the commit of PENDING_CHECK: both are idempotent, and a cancel undoes both.
  async #secure(order: Order): Promise<Answer<OrderEvent>> {
    const { success, message, unavailableProducts, items } = await this.#call<StockReply, StockOrder>(
      'inventory.reserve',
      order,
      stockParams(order),
    );
    if (!success) return { event: { type: 'REFUSED', refusal: { message, unavailableProducts } } };
    const prices = new Map(items?.map((item) => [item.productId, parseMoney(String(item.price))]));
    try {
      return { event: { type: 'SECURED', prices, shipment: await this.#createShipment(order) } };
    } catch (error) {
      return { event: { type: 'RESERVED', prices }, failure: error as Error };
    }
  }

  #createShipment(order: Order): Promise<OrderShipment> {
    return this.#call<CreateShipmentResult, CreateShipmentParams>('tracking.createShipment', order, {
      orderId: order.id,
      customerId: order.customerId,
      ...(order.customerName === null ? {} : { customerName: order.customerName }),
      deliveryAddress: order.deliveryAddress,
      carrier: order.carrier,
    });
  }

  async #stock(action: 'inventory.consume' | 'inventory.release', order: Order): Promise<void> {
    const answer = await this.#call<StockReply, StockOrder>(action, order, stockParams(order));
    if (!answer.success) throw new Refused(`${action}: ${answer.message}`);
  }

  async #voidShipment(order: Order): Promise<void> {
    const answer = await this.#call<VoidShipmentResult, VoidShipmentParams>('tracking.void', order, {
      orderId: order.id,
    });
    if (!answer.success) throw new Refused(`tracking.void: ${answer.message}`);
  }

  async #call<Result, Params>(action: string, order: Order, params: Params): Promise<Result> {
    try {
      const options = { timeout: this.#timeoutMs, ...(order.requestId === null ? {} : { requestID: order.requestId }) };
      return await this.#peers.call<Result, Params>(action, params, options);
    } catch (error) {
      const Kind = isRefusal(error) ? Refused : isAbsence(error) ? Absent : Error;
      throw new Kind(`${action}: ${describe(error)}`, { cause: error });
    }
  }
}

/** Unauthenticated is no refusal: while secrets are rotated, a peer may not accept this node's yet. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Failure &&
  !error.retryable &&
  !(error instanceof InternalError) &&
  !(error instanceof Unauthenticated);

const ABSENT: ReadonlySet<unknown> = new Set(['SERVICE_NOT_FOUND', 'SERVICE_NOT_AVAILABLE', 'REQUEST_UNDELIVERED']);

const isAbsence = (error: unknown): boolean => ABSENT.has((error as { type?: unknown }).type);

const stockParams = (order: Order): StockOrder => ({
  orderId: order.id,
  items: order.lines.map(({ productId, quantity }) => ({ productId, quantity })),
});

const WORDS: Record<string, string> = {
  REQUEST_TIMEOUT: 'timed out',
  REQUEST_REJECTED: 'the node disconnected during the call',
  SERVICE_NOT_FOUND: 'no node provides it',
  SERVICE_NOT_AVAILABLE: 'no node is available, or the circuit breaker is open',
  REQUEST_UNDELIVERED: 'no node accepted the call',
};

// Callers see why an order waits, and the framework's own messages would reveal node names.
function describe(error: unknown): string {
  const { type, message, code } = error as { type?: string; message?: string; code?: unknown };
  if (type && WORDS[type]) return WORDS[type];
  return typeof code === 'number' && code < 500 ? `refused: ${message ?? type}` : (type ?? 'failed');
}
