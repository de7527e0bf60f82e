/** The events that tracking handles: shipped and delivered orders are recorded in their shipment's timeline. */
import { randomUUID } from 'node:crypto';
import type { OrderRecord } from '../../machines/reconciliation/books.ts';
import type { OrderStatus } from '../../machines/order/order.words.ts';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import type { ShipmentEventType } from '../../machines/shipment/shipment.machine.ts';
import type { KeysetPage, KeysetRequest } from '../../mixins/database/keyset.ts';
import type { Subscriptions } from '../../mixins/events/inbox/subscriptions.ts';
import type { TrackingService } from './tracking.context.ts';

/** A step of an order that its shipment records, and the entry of the timeline. */
interface Progress {
  event: ShipmentEventType;
  status: string;
}

const SHIPPED: Progress = { event: 'SHIP', status: 'SHIPPED' };
const DELIVERED: Progress = { event: 'DELIVER', status: 'DELIVERED' };

export const subscriptions = {
  'order.shipped': follow(SHIPPED),
  'order.delivered': follow(DELIVERED),
} satisfies Subscriptions<TrackingService>;

/** What the shipment of an order has to record, by the order's status. */
const PROGRESS: Record<OrderStatus, Progress | null> = {
  PENDING_CHECK: null,
  CONFIRMED: null,
  SHIPPED,
  DELIVERED,
  CANCELLED: null,
};

/** Looks up the orders of all undelivered shipments, because the lost events may have included their progress. */
export async function catchUp(service: TrackingService): Promise<void> {
  for (let after = 0; ; ) {
    const ids = await service.queries.open(after);
    const last = ids.at(-1);
    if (last === undefined) return;
    const { items } = await service.broker.call<KeysetPage<OrderRecord>, KeysetRequest>('orders.states', { ids });
    for (const { orderId, status } of items) {
      const progress = PROGRESS[status];
      if (progress) await record(service, orderId, progress, new Date().toISOString(), randomUUID());
    }
    after = last;
  }
}

/** Records an order's progress. A shipment that is already there, or further, does not change. */
function follow(progress: Progress) {
  return {
    async handler(this: TrackingService, news: DomainEvent<'order.shipped' | 'order.delivered'>): Promise<void> {
      const { orderId } = news.data;
      const outcome = await record(this, orderId, progress, news.at, news.id);
      // The order still owes the shipment: the event is retried.
      if (outcome.kind === 'absent')
        throw new ServiceUnavailable(`The shipment of order ${orderId} does not exist yet`);
    },
  };
}

function record({ store }: TrackingService, orderId: number, progress: Progress, happenedAt: string, id: string) {
  return store.change({ ...progress, orderId, location: null, details: null, extra: null, happenedAt, id });
}
