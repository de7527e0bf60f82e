/** What placing an order comes to: an answer, or the failure that says what became of the order. */
import { InsufficientStock, OrderCancelled, OrderPending } from '../../../machines/order/order.failures.ts';
import { type Order, orderNumberOf, SHIPMENT_OWED } from '../../../machines/order/order.ts';
import type { Failure, FailureData } from '../../../machines/shared/failure.ts';
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import { viewOf } from '../orders.view.ts';
import type { PlacedOrder } from '../orders.types.ts';

/** What an order has come to, as far as its placing is concerned: `open` until it is confirmed or cancelled. */
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
 * The answer for an order as it is now. `replayed` marks what a repeat is answered.
 * @throws OrderPending, InsufficientStock or OrderCancelled for an order that is not confirmed.
 */
export function answerOf(order: Order, replayed = false): PlacedOrder {
  switch (outcomeOf(order)) {
    case 'open':
      throw pending(
        order,
        'The order is taken and waits for its stock to be reserved. It goes on by itself: ask for it later',
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
  if (!refusal) return new OrderCancelled('The order was cancelled before it was confirmed. Place a new one', data);
  const { message, unavailableProducts } = refusal;
  return new InsufficientStock(message, { unavailableProducts, ...data });
}

/** The failure of a request whose order is safe, and goes on without it. */
export const pending = (order: Order, message: string): OrderPending => new OrderPending(message, namesOf(order));

const namesOf = (order: Order): FailureData => ({
  orderId: order.id,
  orderNumber: orderNumberOf(order),
  status: order.state.status,
});
