/** Orders as people and peers see them, and the answers that placing one gets. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { InsufficientStock, OrderCancelled, OrderPending } from '../../machines/order/order.failures.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import { itemsOf, type Order, orderNumberOf, SHIPMENT_OWED } from '../../machines/order/order.ts';
import type { OrderView, PlacedOrder } from './orders.types.ts';
import type { OrderMemory } from './store/order.row.ts';

/** The whole order. */
export function viewOf(order: Order): OrderView {
  return {
    orderId: order.id,
    orderNumber: orderNumberOf(order),
    customerId: order.customerId,
    status: order.state.status,
    totalPrice: order.total === null ? null : moneyToNumber(order.total),
    orderDate: new Date(order.placedAt).toISOString(),
    trackingNumber: order.shipment?.trackingNumber ?? null,
    estimatedDelivery: order.shipment?.estimatedDelivery ?? null,
    items: itemsOf(order),
  };
}

/** Identifies what people see of an order: it changes exactly with the history. */
export const etagOf = (order: Order): string => `${order.id}-${order.seq}`;

function placedAnswer(order: Order): PlacedOrder {
  const answer: PlacedOrder = { order: viewOf(order), replayed: false };
  if (order.shipment === null) answer.warning = SHIPMENT_OWED;
  return answer;
}

/** The answer to be repeated under an idempotency key, when this change is the one that makes it; null otherwise. */
export function firstAnswer(before: Order, after: Order): string | null {
  const confirmed = before.state.status === 'PENDING_CHECK' && after.state.status === 'CONFIRMED';
  return confirmed ? JSON.stringify(placedAnswer(after)) : null;
}

/**
 * What placing an order comes to, given the order as it is now and the answer that was kept for its key.
 * @throws InsufficientStock, OrderCancelled, or OrderPending for an order that is not confirmed.
 */
export function answerOf(order: Order, kept: PlacedOrder | null, replayed: boolean): PlacedOrder {
  const names = { orderId: order.id, orderNumber: orderNumberOf(order), status: order.state.status };
  if (kept) return { ...kept, replayed };
  if (order.state.status === 'PENDING_CHECK') {
    throw new OrderPending(
      'The order is taken and waits for its stock to be reserved. It goes on by itself: ask for it later',
      names,
    );
  }
  if (order.state.status !== 'CANCELLED') return { ...placedAnswer(order), replayed };
  const { refusal } = order;
  const mark = replayed ? { replayed } : {};
  if (!refusal)
    throw new OrderCancelled('The order was cancelled before it was confirmed. Place a new one', { ...names, ...mark });
  throw new InsufficientStock(refusalMessage(refusal.unavailableProducts, refusal.message), {
    unavailableProducts: refusal.unavailableProducts,
    ...names,
    ...mark,
  });
}

function refusalMessage(products: readonly number[], fallback: string): string {
  if (products.length === 0) return fallback;
  return products.length === 1
    ? `Product ID ${products[0]} has insufficient stock`
    : `Product IDs ${products.join(', ')} have insufficient stock`;
}

/** Tells operators that the engine has given up on what is owed for an order until somebody asks for a retry. */
export function attentionRequired(
  { state, version }: OrderMemory,
  attempt: number,
  lastError: string | null,
): DomainEvent {
  return {
    id: `order-${state.id}-v${version + 1}`,
    type: 'order.attentionRequired',
    key: `order-${state.id}`,
    at: new Date().toISOString(),
    data: {
      orderId: state.id,
      orderNumber: orderNumberOf(state),
      customerId: state.customerId,
      status: state.state.status,
      owes: state.state.owed.map((owed) => owed.effect),
      attempt,
      lastError,
    },
  };
}
