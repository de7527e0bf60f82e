/** The public view of orders. */
import { itemsOf, type Order, orderNumberOf } from '../../machines/order/order.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import type { OrderDetails, OrderView } from './orders.types.ts';

/** An order as it is answered to whoever placed it. */
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

/** An order in full, with everything that was ordered. */
export function detailsOf(order: Order): OrderDetails {
  return {
    ...viewOf(order),
    carrier: order.carrier,
    deliveryAddress: order.deliveryAddress,
    customerName: order.customerName,
    updatedAt: new Date(order.updatedAt).toISOString(),
  };
}

/** The ETag of an order; it changes exactly when its history does. */
export const etagOf = (order: Order): string => `${order.id}-${order.seq}`;
