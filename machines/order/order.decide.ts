/** The business logic of orders: what each event does to an order. Pure, without I/O or a clock. */
import { IllegalTransition } from '../shared/failure.ts';
import { type Cents, totalOf } from '../shared/money.ts';
import { announcement } from './order.events.ts';
import { INITIAL_STATE, stepOf } from './order.chart.ts';
import type { OrderEventType, OrderStatus } from './order.words.ts';
import {
  type Decision,
  type Order,
  type OrderEvent,
  orderNumberOf,
  type OrderRequest,
  SHIPMENT_OWED,
} from './order.ts';

/** A new order in PENDING_CHECK, with its first history entry. `id` and `uuid` are two forms of one value. */
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
    updatedAt: at,
    requestId: request.requestId,
    keyed: request.keyed,
    state: INITIAL_STATE,
    seq: 1,
  };
  return {
    order,
    history: [{ seq: 1, event: 'PLACE', from: null, to: order.state.status, at, actor: request.by, detail: null }],
    announcements: [announcement(order, 'order.created', 0, at)],
  };
}

/** Events that are already done in a status: repeating them succeeds and changes nothing. */
const DONE: Record<OrderStatus, readonly OrderEvent['type'][]> = {
  PENDING_CHECK: [],
  CONFIRMED: [],
  SHIPPED: ['SHIP'],
  DELIVERED: ['DELIVER', 'PARCEL_DELIVERED'],
  CANCELLED: ['CANCEL'],
};

/**
 * Decides what an event does to an order. Undefined when a repeated command finds its work done.
 * @throws IllegalTransition when the state does not allow the event; it names the state and the allowed events.
 */
export function decide(order: Order, event: OrderEvent, at: number): Decision | undefined {
  if (DONE[order.state.status].includes(event.type)) return undefined;
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
  const next: Order = { ...order, ...learned(order, event), state: step.to, seq: order.seq + 1, updatedAt: at };
  return {
    order: next,
    history: [
      {
        seq: next.seq,
        event: event.type,
        from: order.state.status,
        to: next.state.status,
        at,
        actor: ('by' in event && event.by) || null,
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
      throw new RangeError(`the reservation of order ${order.id} has no price for product ${line.productId}`);
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

/** The past participle of each command, for messages; the engine's own events have none. */
const VERBS: Record<OrderEventType, string | undefined> = {
  CANCEL: 'cancelled',
  SHIP: 'shipped',
  DELIVER: 'delivered',
  SECURED: undefined,
  RESERVED: undefined,
  REFUSED: undefined,
  SHIPMENT_CREATED: undefined,
  EXPIRE: undefined,
  STOCK_CONSUMED: undefined,
  STOCK_RELEASED: undefined,
  SHIPMENT_VOIDED: undefined,
};

function illegal(order: Order, event: OrderEventType): IllegalTransition {
  const { status, allows } = order.state;
  const commands = allows.filter((type) => VERBS[type] !== undefined);
  const next =
    commands.length > 0
      ? `allowed now: ${commands.map((type) => type.toLowerCase()).join(', ')}`
      : 'nothing more is allowed';
  const refused = VERBS[event] ? `cannot be ${VERBS[event]}` : `does not allow ${event}`;
  return new IllegalTransition(`An order that is ${status} ${refused}; ${next}`, {
    orderId: order.id,
    orderNumber: orderNumberOf(order),
    status,
    allowedEvents: allows,
  });
}
