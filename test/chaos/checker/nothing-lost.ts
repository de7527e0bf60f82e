/** The promise: every answer that names an order has its order. */
import type { Check } from './promise.ts';

export const nothingLost: Check = {
  promise: 'every answer that names an order has its order',
  *check({ log, orders }) {
    for (const [orderId, numbers] of log.namedOrders()) {
      const { view, unread } = orders.get(orderId) ?? {};
      if (!view && unread === undefined) yield { orderId, what: 'an answer named it, and there is no such order' };
      for (const number of numbers) {
        if (view && number !== view.orderNumber)
          yield { orderId, what: `an answer called it ${number}, its number is ${view.orderNumber}` };
      }
    }
    for (const { operation, orderId, status, at } of log.entries) {
      if (orderId !== undefined && status === 404)
        yield { orderId, what: `${operation} was answered 404 at ${Math.round(at)} ms` };
    }
  },
};
