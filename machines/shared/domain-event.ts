/** What the engine tells the world: the envelope of every event that leaves through an outbox. */

/** The names of the events peers can subscribe to. */
export const EVENT_TYPES = [
  'order.created',
  'order.confirmed',
  'order.cancelled',
  'order.shipped',
  'order.delivered',
  'order.shipmentCreated',
  'order.attentionRequired',
  'stock.changed',
  'shipment.updated',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** An event as it is stored in the outbox, published and handed to subscribers. */
export interface DomainEvent<Data = Record<string, unknown>> {
  /** Stable: the same change carries the same id however often it is published. */
  id: string;
  type: EventType;
  /** What the event is about (`order-17`, `product-3`); events with the same key arrive in order. */
  key: string;
  /** RFC 3339, UTC: when the change was made. */
  at: string;
  data: Data;
}
