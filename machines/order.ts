/** What an order is and how it changes: `decide` is the whole business logic of an order, without I/O and clock. */
import type { DomainEvent, EventType } from './domain-event.ts';
import { IllegalTransition } from './errors.ts';
import { type Cents, moneyToNumber, totalOf } from './money.ts';
import { type ChartState, INITIAL_STATE, stepOf } from './order.chart.ts';
import type { OrderEventType, OrderStatus } from './order.machine.ts';

/** One line of an order. The price is inventory's at the moment of reservation, and never changes afterwards. */
export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
  readonly price: Cents | null;
}

/** The shipment that tracking made for an order. */
export interface Shipment {
  readonly trackingNumber: string;
  /** RFC 3339, UTC. */
  readonly estimatedDelivery: string;
}

/** Why an order was cancelled by the engine rather than by a person. */
export interface Refusal {
  readonly message: string;
  readonly unavailableProducts: readonly number[];
}

export interface Order {
  readonly id: number;
  /** The UUID inside `ORD-<uuid>`. */
  readonly uuid: string;
  readonly customerId: number;
  readonly customerName: string | null;
  readonly deliveryAddress: string;
  readonly carrier: string;
  readonly lines: readonly OrderLine[];
  readonly total: Cents | null;
  readonly shipment: Shipment | null;
  readonly refusal: Refusal | null;
  /** Unix milliseconds. */
  readonly placedAt: number;
  /** The id of the request that placed it, for whoever follows the order through logs. */
  readonly requestId: string | null;
  /** Whether it was placed under an idempotency key, whose first answer has to be kept. */
  readonly keyed: boolean;
  readonly state: ChartState;
  /** How many entries its history has. Changes exactly when something that people see changes. */
  readonly seq: number;
}

/** What a client sends to place an order. */
export type OrderRequest = Pick<
  Order,
  'customerId' | 'customerName' | 'deliveryAddress' | 'carrier' | 'requestId' | 'keyed'
> & {
  readonly items: readonly { readonly productId: number; readonly quantity: number }[];
};

/** An event with what it carries. */
export type OrderEvent =
  | { type: 'SECURED'; prices: ReadonlyMap<number, Cents>; shipment: Shipment }
  | { type: 'RESERVED'; prices: ReadonlyMap<number, Cents> }
  | { type: 'REFUSED'; refusal: Refusal }
  | { type: 'SHIPMENT_CREATED'; shipment: Shipment }
  | { type: 'CANCEL'; reason?: string | undefined }
  | { type: 'EXPIRE'; reason: string }
  | { type: 'SHIP' | 'DELIVER' | 'STOCK_CONSUMED' | 'STOCK_RELEASED' | 'SHIPMENT_VOIDED' }
  /** The carrier says that the parcel has arrived: a fact, also for an order that nobody has marked as shipped. */
  | { type: 'PARCEL_DELIVERED' };

/** One transition, as the history keeps it. */
export interface HistoryEntry {
  readonly seq: number;
  readonly event: OrderEventType | 'PLACE';
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
  /** Unix milliseconds. */
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** A decided change: the order as it will be, and what is written and told in the same commit. */
export interface Decision {
  readonly order: Order;
  readonly history: readonly HistoryEntry[];
  readonly announcements: readonly DomainEvent[];
}

/** The number people see. */
export const orderNumberOf = (order: Pick<Order, 'uuid'>): string => `ORD-${order.uuid}`;

/** A new order, PENDING_CHECK, with its first history entry. `id` and `uuid` are two forms of one value. */
export function place(request: OrderRequest, id: number, uuid: string, at: number): Decision {
  const order: Order = {
    id,
    uuid,
    customerId: request.customerId,
    customerName: request.customerName,
    deliveryAddress: request.deliveryAddress,
    carrier: request.carrier,
    lines: request.items.map(({ productId, quantity }) => ({ productId, quantity, price: null })),
    total: null,
    shipment: null,
    refusal: null,
    placedAt: at,
    requestId: request.requestId,
    keyed: request.keyed,
    state: INITIAL_STATE,
    seq: 1,
  };
  return {
    order,
    history: [{ seq: 1, event: 'PLACE', from: null, to: order.state.status, at, detail: null }],
    announcements: [announcement(order, 'order.created', 0, at)],
  };
}

/** Commands that are answered the same when they are repeated, and the status in which they have nothing left to do. */
const ALREADY: Partial<Record<OrderEvent['type'], OrderStatus>> = {
  CANCEL: 'CANCELLED',
  SHIP: 'SHIPPED',
  DELIVER: 'DELIVERED',
  PARCEL_DELIVERED: 'DELIVERED',
};

/**
 * What an event does to an order. Undefined when a repeated command finds its work done.
 * @throws IllegalTransition when the state does not allow the event; it names the state and what is allowed.
 */
export function decide(order: Order, event: OrderEvent, at: number): Decision | undefined {
  if (ALREADY[event.type] === order.state.status) return undefined;
  if (event.type !== 'PARCEL_DELIVERED') return apply(order, event, at);
  if (!order.state.allows.includes('SHIP')) return apply(order, { type: 'DELIVER' }, at);
  const shipped = apply(order, { type: 'SHIP' }, at);
  const delivered = apply(shipped.order, { type: 'DELIVER' }, at);
  return {
    order: delivered.order,
    history: [...shipped.history, ...delivered.history],
    announcements: [...shipped.announcements, ...delivered.announcements],
  };
}

function apply(order: Order, event: Exclude<OrderEvent, { type: 'PARCEL_DELIVERED' }>, at: number): Decision {
  const step = stepOf(order.state, event.type);
  if (!step) throw illegal(order, event.type);
  const next: Order = { ...order, ...learned(order, event), state: step.to, seq: order.seq + 1 };
  return {
    order: next,
    history: [
      {
        seq: next.seq,
        event: event.type,
        from: order.state.status,
        to: next.state.status,
        at,
        detail: detailOf(event),
      },
    ],
    announcements: step.announces.map((type, index) => announcement(next, type, index, at)),
  };
}

function learned(order: Order, event: OrderEvent): Partial<Order> {
  switch (event.type) {
    case 'SECURED':
      return { ...priced(order, event.prices), shipment: event.shipment };
    case 'RESERVED':
      return priced(order, event.prices);
    case 'SHIPMENT_CREATED':
      return { shipment: event.shipment };
    case 'REFUSED':
      return { refusal: event.refusal };
    default:
      return {};
  }
}

function priced(order: Order, prices: ReadonlyMap<number, Cents>): Pick<Order, 'lines' | 'total'> {
  const lines = order.lines.map((line) => {
    const price = prices.get(line.productId);
    if (price === undefined)
      throw new RangeError(`the reservation of order ${order.id} names no price for product ${line.productId}`);
    return { productId: line.productId, quantity: line.quantity, price };
  });
  return { lines, total: totalOf(lines) };
}

function detailOf(event: OrderEvent): Record<string, unknown> | null {
  switch (event.type) {
    case 'SECURED':
    case 'SHIPMENT_CREATED':
      return { ...event.shipment };
    case 'REFUSED':
      return { ...event.refusal };
    case 'RESERVED':
      return { warning: SHIPMENT_OWED };
    case 'CANCEL':
    case 'EXPIRE':
      return event.reason === undefined ? null : { reason: event.reason };
    default:
      return null;
  }
}

/** What the client is told when an order is confirmed before its shipment could be made. */
export const SHIPMENT_OWED =
  'The shipment could not be made yet. It follows by itself; ask for the order again to see it';

function announcement(order: Order, type: EventType, index: number, at: number): DomainEvent {
  const seq = `order-${order.id}-${order.seq}`;
  return {
    id: index === 0 ? seq : `${seq}-${index}`,
    type,
    key: `order-${order.id}`,
    at: new Date(at).toISOString(),
    data: {
      orderId: order.id,
      orderNumber: orderNumberOf(order),
      customerId: order.customerId,
      status: order.state.status,
      seq: order.seq,
      totalPrice: order.total === null ? null : moneyToNumber(order.total),
      ...eventData(order, type),
    },
  };
}

function eventData(order: Order, type: EventType): Record<string, unknown> {
  switch (type) {
    case 'order.created':
    case 'order.confirmed':
      return { items: itemsOf(order) };
    case 'order.shipmentCreated':
      return { ...order.shipment, carrier: order.carrier };
    case 'order.cancelled':
      return order.refusal === null ? {} : { ...order.refusal };
    default:
      return {};
  }
}

/** The lines as people see them. */
export const itemsOf = (order: Order): { productId: number; quantity: number; priceAtPurchase: number | null }[] =>
  order.lines.map(({ productId, quantity, price }) => ({
    productId,
    quantity,
    priceAtPurchase: price === null ? null : moneyToNumber(price),
  }));

const VERBS: Partial<Record<OrderEventType, string>> = { CANCEL: 'cancelled', SHIP: 'shipped', DELIVER: 'delivered' };

function illegal(order: Order, event: OrderEventType): IllegalTransition {
  const { status, allows } = order.state;
  const commands = allows.filter((type) => VERBS[type] !== undefined);
  const next =
    commands.length > 0
      ? `allowed now: ${commands.map((type) => type.toLowerCase()).join(', ')}`
      : 'nothing more is allowed';
  return new IllegalTransition(`An order that is ${status} cannot be ${VERBS[event] ?? `given ${event}`}; ${next}`, {
    orderId: order.id,
    orderNumber: orderNumberOf(order),
    status,
    allowedEvents: allows,
  });
}
