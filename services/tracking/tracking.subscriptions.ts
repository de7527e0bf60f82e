/** The events that tracking handles: shipped and delivered orders are recorded in their shipment's timeline. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import type { Subscriptions } from '../../mixins/events/inbox/subscriptions.ts';
import type { ShipmentEventType } from '../../machines/shipment/shipment.machine.ts';
import type { TrackingService } from './tracking.context.ts';

export const subscriptions = {
  'order.shipped': follow('SHIP', 'SHIPPED'),
  'order.delivered': follow('DELIVER', 'DELIVERED'),
} satisfies Subscriptions<TrackingService>;

/** Records an entry with that status, unless the shipment is already in it or a later one. */
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
      // The order still owes its shipment; throwing makes the stream retry the event.
      if (outcome.kind === 'absent') throw new ServiceUnavailable(`Order ${orderId} has no shipment yet`);
    },
  };
}
