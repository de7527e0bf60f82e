/** What orders do about the news of tracking: a parcel that has arrived makes its order DELIVERED. */
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
        this.logger.warn(`Order ${orderId}: a parcel was delivered for an order that is ${status}`);
      }
    },
  },
};

/**
 * Tells an order that its parcel has arrived. Answers its status when nothing can become of that, as for an order that
 * was cancelled. An order that is still PENDING_CHECK has to be told again later.
 * @throws IllegalTransition for such an order.
 */
export async function parcelDelivered(host: OrderHost, orderId: number): Promise<string | undefined> {
  try {
    // Shipments can be made by hand, for orders that are not ours.
    await host.tell(orderId, { event: { type: 'PARCEL_DELIVERED' } });
    return undefined;
  } catch (error) {
    if (!(error instanceof IllegalTransition) || error.data.status === 'PENDING_CHECK') throw error;
    return String(error.data.status);
  }
}
