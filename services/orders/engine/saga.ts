/** What an order owes to its peers, carried out: each effect is a call or two that may be repeated at any time. */
import { Unauthenticated } from '../../../mixins/auth/auth.failures.ts';
import { Failure, InternalError } from '../../../machines/shared/failure.ts';
import { parseMoney } from '../../../machines/shared/money.ts';
import type { Order, OrderEvent, Shipment } from '../../../machines/order/order.ts';
import type { Effect, Peer } from '../../../machines/order/order.words.ts';
import type { Answer } from '../../../mixins/actor/actor.ts';
import type { StockOrder, StockReply } from '../../inventory/inventory.types.ts';
import type {
  CreateShipmentParams,
  CreateShipmentResult,
  VoidShipmentParams,
  VoidShipmentResult,
} from '../../tracking/tracking.types.ts';

/** A peer answered that it will not do what is owed. Only an operator can mend that. */
export class Refused extends Error {}

/** Nobody was there to be asked: the peer was not reached, and nothing was tried. */
export class Absent extends Error {}

/** The peer services, as they are reached over a broker. */
export interface Peers {
  /** Those that cannot be reached from here now. */
  away(): readonly Peer[];
  call<Result, Params>(
    action: string,
    params: Params,
    options: { timeout: number; requestID?: string },
  ): Promise<Result>;
}

/** Carries out what orders owe. */
export class OrderSaga {
  readonly #peers: Peers;
  readonly #timeoutMs: number;

  /** `timeoutMs` bounds one call; an attempt at `secure` makes two. */
  constructor(peers: Peers, timeoutMs: number) {
    this.#peers = peers;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Carries out one effect and answers what came of it as an event.
   * @throws when the peer is away or refuses: the effect stays owed. A timeout leaves open whether it worked.
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

  // The commit of PENDING_CHECK allows both calls: both are repeatable, and a cancel takes back both.
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

  #createShipment(order: Order): Promise<Shipment> {
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

/** A peer that does not know this node has other secrets, for as long as they are being changed. */
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
  REQUEST_TIMEOUT: 'did not answer in time',
  REQUEST_REJECTED: 'went away during the call',
  SERVICE_NOT_FOUND: 'no node offers it',
  SERVICE_NOT_AVAILABLE: 'no node takes calls, or the breaker is open',
  REQUEST_UNDELIVERED: 'no node took the call',
};

// The framework's own messages name nodes, and what an order waits for is shown to callers.
function describe(error: unknown): string {
  const { type, message, code } = error as { type?: string; message?: string; code?: unknown };
  if (type && WORDS[type]) return WORDS[type];
  return typeof code === 'number' && code < 500 ? `refused: ${message ?? type}` : (type ?? 'failed');
}
