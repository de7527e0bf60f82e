/** What the world is told of an order: the events that go out in the commit of a step. */
import type { DomainEvent, EventType } from '../shared/domain-event.ts';
import { moneyToNumber } from '../shared/money.ts';
import { itemsOf, type Order, orderNumberOf } from './order.ts';

/** The event of a step; `index` tells the events of one step apart. Its id is the same however often it is made. */
export function announcement(order: Order, type: EventType, index: number, at: number): DomainEvent {
  const key = `order-${order.id}`;
  const id = index === 0 ? `${key}-${order.seq}` : `${key}-${order.seq}-${index}`;
  return { id, type, key, at: new Date(at).toISOString(), data: dataOf(order, type) };
}

/**
 * Tells operators that the engine has given up on what is owed for an order until somebody asks for a retry. `version`
 * is that of the row that says so, so that each time has an id of its own.
 */
export function attentionRequired(
  order: Order,
  version: number,
  { attempt, lastError }: { attempt: number; lastError: string },
  at: number,
): DomainEvent {
  const key = `order-${order.id}`;
  return {
    id: `${key}-v${version}`,
    type: 'order.attentionRequired',
    key,
    at: new Date(at).toISOString(),
    data: {
      orderId: order.id,
      orderNumber: orderNumberOf(order),
      customerId: order.customerId,
      status: order.state.status,
      owes: order.state.owed.map((owed) => owed.effect),
      attempt,
      lastError,
    },
  };
}

function dataOf(order: Order, type: EventType): Record<string, unknown> {
  const data: Record<string, unknown> = {
    orderId: order.id,
    orderNumber: orderNumberOf(order),
    customerId: order.customerId,
    status: order.state.status,
    seq: order.seq,
    totalPrice: order.total === null ? null : moneyToNumber(order.total),
  };
  switch (type) {
    case 'order.created':
    case 'order.confirmed':
      data.items = itemsOf(order);
      return data;
    case 'order.shipmentCreated':
      return Object.assign(data, order.shipment, { carrier: order.carrier });
    case 'order.cancelled':
      return Object.assign(data, order.refusal);
    default:
      return data;
  }
}
