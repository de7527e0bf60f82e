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

const CATCH_UP_PAGE = 500;
/** A shipment in one of these records no more progress. */
const ENDS: ReadonlySet<string> = new Set(['DELIVERED', 'VOIDED']);

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
  // No index finds the undelivered ones, so whole pages are read.
  for (let after = 0; ; ) {
    const page = await service.queries.page({ after, limit: CATCH_UP_PAGE });
    const last = page.at(-1);
    if (last === undefined) return;
    const ids = page.filter(({ status }) => !ENDS.has(status)).map(({ orderId }) => orderId);
    // A page of orders is cut short when they have many lines.
    after = (ids.length > 0 ? await recordProgress(service, ids) : null) ?? last.orderId;
  }
}

/** Records the progress of these orders, up to the returned one; null: of all. */
async function recordProgress(service: TrackingService, ids: number[]): Promise<number | null> {
  const request = { ids, limit: CATCH_UP_PAGE };
  const { items, next } = await service.broker.call<KeysetPage<OrderRecord>, KeysetRequest>('orders.states', request);
  const at = new Date().toISOString();
  // Together, so that they share commits.
  await Promise.all(
    items.map(async ({ orderId, status }) => {
      const progress = PROGRESS[status];
      if (progress) await record(service, orderId, progress, at, randomUUID());
    }),
  );
  return next;
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
