/** The types of the order domain: orders, their events, and decided changes. */
import type { DomainEvent } from '../shared/domain-event.ts';
import { type Cents, moneyToNumber } from '../shared/money.ts';
import type { ChartState } from './order.chart.ts';
import type { OrderEventType, OrderStatus } from './order.words.ts';

/** One line of an order. The price is inventory's at the time of reservation and never changes afterwards. */
export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
  readonly price: Cents | null;
}

/** The shipment that tracking created for an order. */
export interface OrderShipment {
  readonly trackingNumber: string;
  /** RFC 3339, UTC. */
  readonly estimatedDelivery: string;
}

/** Why inventory refused an order. */
export interface Refusal {
  readonly message: string;
  readonly unavailableProducts: readonly number[];
}

/** Who caused a change: a caller by its role and subject, or the engine itself. */
export interface Actor {
  readonly role: string;
  /** The subject of the caller's token, or the node; undefined for anonymous callers. */
  readonly subject?: string;
}

export interface Order {
  readonly id: number;
  /** The UUID inside `ORD-<uuid>`. */
  readonly uuid: string;
  readonly customerId: number;
  readonly customerName: string | null;
  readonly deliveryAddress: string;
  readonly carrier: string;
  readonly lines: readonly OrderLine[];
  readonly total: Cents | null;
  readonly shipment: OrderShipment | null;
  readonly refusal: Refusal | null;
  /** Unix milliseconds. */
  readonly placedAt: number;
  /** When it changed last: the time of its latest history entry. Unix milliseconds. */
  readonly updatedAt: number;
  /** The id of the request that placed the order, to trace it through the logs. */
  readonly requestId: string | null;
  /** Whether it was placed with an idempotency key, whose first response must be kept. */
  readonly keyed: boolean;
  readonly state: ChartState;
  /** The number of history entries. Changes exactly when the order's public state changes. */
  readonly seq: number;
}

/** A request to place an order. */
export type OrderRequest = Pick<
  Order,
  'customerId' | 'customerName' | 'deliveryAddress' | 'carrier' | 'requestId' | 'keyed'
> & {
  /** Who places it. */
  readonly by: Actor;
  readonly items: readonly { readonly productId: number; readonly quantity: number }[];
};

/** An event with its data. */
export type OrderEvent =
  | { type: 'SECURED'; prices: ReadonlyMap<number, Cents>; shipment: OrderShipment }
  | { type: 'RESERVED'; prices: ReadonlyMap<number, Cents> }
  | { type: 'REFUSED'; refusal: Refusal }
  | { type: 'SHIPMENT_CREATED'; shipment: OrderShipment }
  | { type: 'CANCEL'; reason?: string | undefined; by?: Actor }
  | { type: 'EXPIRE'; reason: string }
  | { type: 'SHIP' | 'DELIVER'; by?: Actor }
  | { type: 'STOCK_CONSUMED' | 'STOCK_RELEASED' | 'SHIPMENT_VOIDED' }
  /** The carrier reports the parcel as delivered: a fact, even if nobody marked the order as shipped. */
  | { type: 'PARCEL_DELIVERED' };

/** One transition in an order's history. */
export interface HistoryEntry {
  readonly seq: number;
  readonly event: OrderEventType | 'PLACE';
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
  /** Unix milliseconds. */
  readonly at: number;
  /** Null: the engine did it by itself. */
  readonly actor: Actor | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** A decided change: the new order, and the history and events to write in the same commit. */
export interface Decision {
  readonly order: Order;
  readonly history: readonly HistoryEntry[];
  readonly announcements: readonly DomainEvent[];
}

/** The public order number. */
export const orderNumberOf = (order: Pick<Order, 'uuid'>): string => `ORD-${order.uuid}`;

/** The public view of an order's lines. */
export const itemsOf = (order: Order): { productId: number; quantity: number; priceAtPurchase: number | null }[] =>
  order.lines.map(({ productId, quantity, price }) => ({
    productId,
    quantity,
    priceAtPurchase: price === null ? null : moneyToNumber(price),
  }));

/** The warning to the client when an order is confirmed before its shipment could be created. */
export const SHIPMENT_OWED =
  'The shipment could not be created yet. It will be created automatically; read the order again to see it';
