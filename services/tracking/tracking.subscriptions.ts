/** What tracking does about the news of orders: it brings them into the timelines of their shipments. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import type { Subscriptions } from '../../mixins/events/inbox/subscriptions.ts';
import type { ShipmentEventType } from '../../machines/shipment/shipment.machine.ts';
import type { TrackingService } from './tracking.context.ts';

export const subscriptions = {
  'order.shipped': follow('SHIP', 'SHIPPED'),
  'order.delivered': follow('DELIVER', 'DELIVERED'),
} satisfies Subscriptions<TrackingService>;

/** Records the news as an entry of that status. What the shipment knows already, or better, changes nothing. */
function follow(event: ShipmentEventType, status: string) {
  return {
    async handler(this: TrackingService, news: DomainEvent<'order.shipped' | 'order.delivered'>): Promise<void> {
      const { orderId } = news.data;
      const outcome = await this.store.change({
        orderId,
        event,
        status,
        location: null,
        details: null,
        extra: null,
        happenedAt: news.at,
        id: news.id,
      });
      // The order still owes the shipment: the event comes again later.
      if (outcome.kind === 'absent') throw new ServiceUnavailable(`The shipment of order ${orderId} is not made yet`);
    },
  };
}
