/** The events that orders handle: a delivered parcel makes its order DELIVERED. */
import { IllegalTransition } from '../../machines/shared/failure.ts';
import type { Subscriptions } from '../../mixins/events/inbox/subscriptions.ts';
import type { OrderHost } from './engine/order-host.ts';
import type { OrdersService } from './orders.context.ts';

export const subscriptions: Subscriptions<OrdersService> = {
  'shipment.updated': {
    wants: ({ data }) => data.status === 'DELIVERED',
    async handler({ data: { orderId } }) {
      const status = await parcelDelivered(this.host, orderId);
      if (status !== undefined) {
        this.logger.warn(`Order ${orderId} is ${status}, but tracking reports its parcel as delivered`);
      }
    },
  },
};

/**
 * Applies the delivery of a parcel to its order. Returns the order's status when that is impossible, for example because
 * the order is CANCELLED.
 * @throws IllegalTransition while the order is PENDING_CHECK: the event must be retried
 */
export async function parcelDelivered(host: OrderHost, orderId: number): Promise<string | undefined> {
  try {
    // A shipment created by hand may belong to no order here; `tell` then does nothing.
    await host.tell(orderId, { event: { type: 'PARCEL_DELIVERED' } });
    return undefined;
  } catch (error) {
    if (!(error instanceof IllegalTransition) || error.data.status === 'PENDING_CHECK') throw error;
    return String(error.data.status);
  }
}
