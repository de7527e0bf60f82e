/** The promise: one shipment an order, in the state that goes with the order's. */
import type { Books } from '../books.ts';
import type { Check } from './promise.ts';

export const shipments: Check = {
  promise: 'one shipment an order, voided when the order is cancelled',
  *check(books) {
    for (const { orderId, view, shipment } of books.orders.values()) {
      if (!view) continue;
      const { status, trackingNumber } = view;
      if (status !== 'CANCELLED' && status !== 'PENDING_CHECK' && trackingNumber === null)
        yield { orderId, what: `it is ${status} and has no shipment` };
      if (trackingNumber === null) continue;
      if (!shipment) yield { orderId, what: `its shipment ${trackingNumber} is unknown to tracking` };
      else if (shipment.orderId !== orderId)
        yield { orderId, what: `its shipment ${trackingNumber} belongs to order ${shipment.orderId}` };
      else if (!fits(status, shipment.status))
        yield { orderId, what: `it is ${status}, and its shipment is ${shipment.status}` };
    }
    yield* oneEach(books);
  },
};

function fits(order: string, shipment: string): boolean {
  if (order === 'CANCELLED') return shipment === 'VOIDED';
  if (order === 'CONFIRMED') return shipment === 'CREATED';
  if (order === 'SHIPPED') return shipment === 'SHIPPED';
  return shipment === 'DELIVERED';
}

/** A shipment unknown to its order shows in the events that tracking has published. */
function* oneEach({ events, orders }: Books): Generator<{ orderId: number; what: string }> {
  const told = new Map<number, Map<string, string>>();
  for (const { type, data } of events ?? []) {
    if (type !== 'shipment.updated') continue;
    const { orderId, trackingNumber, status } = data as { orderId: number; trackingNumber: string; status: string };
    const numbers = told.get(orderId) ?? new Map<string, string>();
    numbers.set(trackingNumber, status);
    told.set(orderId, numbers);
  }
  for (const [orderId, numbers] of told) {
    if (numbers.size > 1) yield { orderId, what: `it was given the shipments ${[...numbers.keys()].join(', ')}` };
    const status = orders.get(orderId)?.view?.status;
    for (const [number, last] of numbers) {
      if (status === 'CANCELLED' && last !== 'VOIDED')
        yield { orderId, what: `it is CANCELLED, and tracking last said that ${number} is ${last}` };
    }
  }
}
