/** Orders as people and peers see them. */
import { itemsOf, type Order, orderNumberOf } from '../../machines/order/order.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import type { OrderView } from './orders.types.ts';

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
