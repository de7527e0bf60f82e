/** The outcome of placing an order: an answer, or a failure that tells the state of the order. */
import { InsufficientStock, OrderCancelled, OrderPending } from '../../../machines/order/order.failures.ts';
import { type Order, orderNumberOf, SHIPMENT_OWED } from '../../../machines/order/order.ts';
import type { Failure, FailureData } from '../../../machines/shared/failure.ts';
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import { viewOf } from '../orders.view.ts';
import type { PlacedOrder } from '../orders.types.ts';

/** The outcome of an order's placement: `open` until it is confirmed or cancelled. */
export type Outcome = 'open' | 'confirmed' | 'cancelled';

const OUTCOMES: Record<OrderStatus, Outcome> = {
  PENDING_CHECK: 'open',
  CONFIRMED: 'confirmed',
  SHIPPED: 'confirmed',
  DELIVERED: 'confirmed',
  CANCELLED: 'cancelled',
};

export const outcomeOf = (order: Order): Outcome => OUTCOMES[order.state.status];

/** The answer for a confirmed order, with a warning while its shipment is still owed. */
export function confirmedAnswer(order: Order, replayed = false): PlacedOrder {
  const answer: PlacedOrder = { order: viewOf(order), replayed };
  if (order.shipment === null) answer.warning = SHIPMENT_OWED;
  return answer;
}

/**
 * The answer for the current state of an order. `replayed` marks the answer to a repeat.
 * @throws OrderPending, InsufficientStock or OrderCancelled for an order that is not confirmed
 */
export function answerOf(order: Order, replayed = false): PlacedOrder {
  switch (outcomeOf(order)) {
    case 'open':
      throw pending(
        order,
        'The order is accepted and waits for stock to be reserved. Processing continues automatically; check the order later',
      );
    case 'confirmed':
      return confirmedAnswer(order, replayed);
    case 'cancelled':
      throw refusalOf(order, replayed);
  }
}

function refusalOf(order: Order, replayed: boolean): Failure {
  const data = { ...namesOf(order), ...(replayed ? { replayed } : {}) };
  const { refusal } = order;
  if (!refusal) return new OrderCancelled('The order was cancelled before it was confirmed. Place a new order', data);
  const { message, unavailableProducts } = refusal;
  return new InsufficientStock(message, { unavailableProducts, ...data });
}

/** The failure of a request whose order is stored and continues without it. */
export const pending = (order: Order, message: string): OrderPending => new OrderPending(message, namesOf(order));

const namesOf = (order: Order): FailureData => ({
  orderId: order.id,
  orderNumber: orderNumberOf(order),
  status: order.state.status,
});
