/** The events that orders handle: a delivered parcel makes its order DELIVERED. */
import type { ShipmentRecord } from '../../machines/reconciliation/books.ts';
import { IllegalTransition } from '../../machines/shared/failure.ts';
import type { KeysetPage, KeysetRequest } from '../../mixins/database/keyset.ts';
import type { Subscriptions } from '../../mixins/events/inbox/subscriptions.ts';
import { about } from '../../mixins/process/log-format.ts';
import type { OrderHost } from './engine/order-host.ts';
import type { OrdersService } from './orders.context.ts';

export const subscriptions: Subscriptions<OrdersService> = {
  'shipment.updated': {
    wants: ({ data }) => data.status === 'DELIVERED',
    async handler({ data: { orderId } }) {
      const status = await parcelDelivered(this.host, orderId);
      if (status !== undefined) {
        this.logger.warn(
          `Order ${orderId} is ${status}, but tracking reports its parcel as delivered`,
          about({ order_id: orderId }),
        );
      }
    },
  },
};

/** Looks up the parcels of all confirmed and shipped orders, because the lost events may have included a delivery. */
export async function catchUp({ states, broker, host }: OrdersService): Promise<void> {
  for (let after = 0; ; ) {
    const ids = await states.undelivered(after);
    const last = ids.at(-1);
    if (last === undefined) return;
    const { items } = await broker.call<KeysetPage<ShipmentRecord>, KeysetRequest>('tracking.shipments', { ids });
    for (const { orderId, status } of items) {
      if (status === 'DELIVERED') await parcelDelivered(host, orderId);
    }
    after = last;
  }
}

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
