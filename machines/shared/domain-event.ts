/** What the engine tells the world: every event that leaves through an outbox, by its name and with its data. */
import type { Effect, OrderStatus } from '../order/order.words.ts';

/** What every event of an order's life says. */
interface OrderFacts {
  readonly orderId: number;
  readonly orderNumber: string;
  readonly customerId: number;
  readonly status: OrderStatus;
  /** The entry of the history that it is about. */
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
  /** Why inventory refused it; only given when it did. */
  readonly message?: string;
  readonly unavailableProducts?: readonly number[];
}

export interface OrderShipmentCreated extends OrderFacts {
  readonly trackingNumber: string;
  readonly estimatedDelivery: string;
  readonly carrier: string;
}

/** The engine has given up on what it owes for an order, until somebody asks for a retry. */
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

/** The stock of a product as it is now. */
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
 * The data of each event. It only grows: what a field means never changes, as rows of an outbox, the stream and peers
 * outlive a release. Data that would mean something else is that of an event with another name.
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

/** The names of the events peers can subscribe to. */
export const EVENT_TYPES = Object.keys(NAMES) as readonly EventType[];

/** An event of one type. */
interface EventOf<Type extends EventType> {
  /** Stable: the same change carries the same id however often it is published. */
  readonly id: string;
  readonly type: Type;
  /** What the event is about (`order-17`, `product-3`); events with the same key arrive in order. */
  readonly key: string;
  /** RFC 3339, UTC: when the change was made. */
  readonly at: string;
  readonly data: EventData[Type];
}

/** An event as it is stored in the outbox, published and handed to subscribers: its `type` tells what its data is. */
export type DomainEvent<Type extends EventType = EventType> = { [Each in Type]: EventOf<Each> }[Type];
