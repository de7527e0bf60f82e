/** What the world is told of an order: the events that go out in the commit of a step. */
import type { DomainEvent, EventType } from './domain-event.ts';
import { moneyToNumber } from './money.ts';
import { itemsOf, type Order, orderNumberOf } from './order.ts';

/** The event of a step; `index` tells the events of one step apart. Its id is the same however often it is made. */
export function announcement(order: Order, type: EventType, index: number, at: number): DomainEvent {
  const seq = `order-${order.id}-${order.seq}`;
  return {
    id: index === 0 ? seq : `${seq}-${index}`,
    type,
    key: `order-${order.id}`,
    at: new Date(at).toISOString(),
    data: {
      orderId: order.id,
      orderNumber: orderNumberOf(order),
      customerId: order.customerId,
      status: order.state.status,
      seq: order.seq,
      totalPrice: order.total === null ? null : moneyToNumber(order.total),
      ...eventData(order, type),
    },
  };
}

function eventData(order: Order, type: EventType): Record<string, unknown> {
  switch (type) {
    case 'order.created':
    case 'order.confirmed':
      return { items: itemsOf(order) };
    case 'order.shipmentCreated':
      return { ...order.shipment, carrier: order.carrier };
    case 'order.cancelled':
      return order.refusal === null ? {} : { ...order.refusal };
    default:
      return {};
  }
}
