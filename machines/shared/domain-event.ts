/** The domain events: every event published through an outbox, by name, with the type of its data. */
import type { Effect, OrderStatus } from '../order/order.words.ts';

/** The data that every order event carries. */
interface OrderFacts {
  readonly orderId: number;
  readonly orderNumber: string;
  readonly customerId: number;
  readonly status: OrderStatus;
  /** The history entry it reports. */
  readonly seq: number;
  /** Null until the stock is reserved. */
  readonly totalPrice: number | null;
}

interface WithItems extends OrderFacts {
  readonly items: readonly {
    readonly productId: number;
    readonly quantity: number;
    /** Null until the stock is reserved. */
    readonly priceAtPurchase: number | null;
  }[];
}

export type OrderCreated = WithItems;
export type OrderConfirmed = WithItems;
export type OrderShipped = OrderFacts;
export type OrderDelivered = OrderFacts;

export interface OrderCancelled extends OrderFacts {
  /** Why inventory refused the order; present only if it did. */
  readonly message?: string;
  readonly unavailableProducts?: readonly number[];
}

export interface OrderShipmentCreated extends OrderFacts {
  readonly trackingNumber: string;
  readonly estimatedDelivery: string;
  readonly carrier: string;
}

/** The engine has parked the work it owes for an order, until someone requests a retry. */
export interface AttentionRequired {
  readonly orderId: number;
  readonly orderNumber: string;
  readonly customerId: number;
  readonly status: OrderStatus;
  readonly owes: readonly Effect[];
  /** Failed attempts so far. */
  readonly attempt: number;
  readonly lastError: string;
}

/** The current stock of a product. */
export interface StockChanged {
  readonly productId: number;
  readonly quantity: number;
  readonly reservedQuantity: number;
  readonly availableStock: number;
}

/** The newest entry of a shipment's timeline. */
export interface ShipmentUpdated {
  readonly orderId: number;
  readonly trackingNumber: string;
  readonly carrier: string;
  readonly status: string;
  readonly location: string | null;
  readonly estimatedDelivery: string;
}

/**
 * The data of each event type. Fields are only ever added and never change their meaning, because outbox rows, stream
 * messages and peers outlive a release. Data with a different meaning needs a new event type.
 */
export interface EventData {
  'order.created': OrderCreated;
  'order.confirmed': OrderConfirmed;
  'order.cancelled': OrderCancelled;
  'order.shipped': OrderShipped;
  'order.delivered': OrderDelivered;
  'order.shipmentCreated': OrderShipmentCreated;
  'order.attentionRequired': AttentionRequired;
  'stock.changed': StockChanged;
  'shipment.updated': ShipmentUpdated;
}

/** The name of an event. */
export type EventType = keyof EventData;

const NAMES: Record<EventType, true> = {
  'order.created': true,
  'order.confirmed': true,
  'order.cancelled': true,
  'order.shipped': true,
  'order.delivered': true,
  'order.shipmentCreated': true,
  'order.attentionRequired': true,
  'stock.changed': true,
  'shipment.updated': true,
};

/** The event types that peers can subscribe to. */
export const EVENT_TYPES = Object.keys(NAMES) as readonly EventType[];

/** An event of one type. */
interface EventOf<Type extends EventType> {
  /** Stable: a change has the same id every time it is published. */
  readonly id: string;
  readonly type: Type;
  /** The subject of the event (`order-17`, `product-3`); events with the same key arrive in order. */
  readonly key: string;
  /** RFC 3339, UTC: when the change was made. */
  readonly at: string;
  readonly data: EventData[Type];
}

/** An event as stored in the outbox, published and delivered to subscribers, discriminated by `type`. */
export type DomainEvent<Type extends EventType = EventType> = { [Each in Type]: EventOf<Each> }[Type];
