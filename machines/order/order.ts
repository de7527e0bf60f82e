/** What an order is, what can happen to it, and what a change of it consists of. */
import type { DomainEvent } from '../shared/domain-event.ts';
import { type Cents, moneyToNumber } from '../shared/money.ts';
import type { ChartState } from './order.chart.ts';
import type { OrderEventType, OrderStatus } from './order.words.ts';

/** One line of an order. The price is inventory's at the moment of reservation, and never changes afterwards. */
export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
  readonly price: Cents | null;
}

/** The shipment that tracking made for an order. */
export interface Shipment {
  readonly trackingNumber: string;
  /** RFC 3339, UTC. */
  readonly estimatedDelivery: string;
}

/** Why an order was cancelled by the engine rather than by a person. */
export interface Refusal {
  readonly message: string;
  readonly unavailableProducts: readonly number[];
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
  readonly shipment: Shipment | null;
  readonly refusal: Refusal | null;
  /** Unix milliseconds. */
  readonly placedAt: number;
  /** The id of the request that placed it, for whoever follows the order through logs. */
  readonly requestId: string | null;
  /** Whether it was placed under an idempotency key, whose first answer has to be kept. */
  readonly keyed: boolean;
  readonly state: ChartState;
  /** How many entries its history has. Changes exactly when something that people see changes. */
  readonly seq: number;
}

/** What a client sends to place an order. */
export type OrderRequest = Pick<
  Order,
  'customerId' | 'customerName' | 'deliveryAddress' | 'carrier' | 'requestId' | 'keyed'
> & {
  readonly items: readonly { readonly productId: number; readonly quantity: number }[];
};

/** An event with what it carries. */
export type OrderEvent =
  | { type: 'SECURED'; prices: ReadonlyMap<number, Cents>; shipment: Shipment }
  | { type: 'RESERVED'; prices: ReadonlyMap<number, Cents> }
  | { type: 'REFUSED'; refusal: Refusal }
  | { type: 'SHIPMENT_CREATED'; shipment: Shipment }
  | { type: 'CANCEL'; reason?: string | undefined }
  | { type: 'EXPIRE'; reason: string }
  | { type: 'SHIP' | 'DELIVER' | 'STOCK_CONSUMED' | 'STOCK_RELEASED' | 'SHIPMENT_VOIDED' }
  /** The carrier says that the parcel has arrived: a fact, also for an order that nobody has marked as shipped. */
  | { type: 'PARCEL_DELIVERED' };

/** One transition, as the history keeps it. */
export interface HistoryEntry {
  readonly seq: number;
  readonly event: OrderEventType | 'PLACE';
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
  /** Unix milliseconds. */
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** A decided change: the order as it will be, and what is written and told in the same commit. */
export interface Decision {
  readonly order: Order;
  readonly history: readonly HistoryEntry[];
  readonly announcements: readonly DomainEvent[];
}

/** The number people see. */
export const orderNumberOf = (order: Pick<Order, 'uuid'>): string => `ORD-${order.uuid}`;

/** The lines as people see them. */
export const itemsOf = (order: Order): { productId: number; quantity: number; priceAtPurchase: number | null }[] =>
  order.lines.map(({ productId, quantity, price }) => ({
    productId,
    quantity,
    priceAtPurchase: price === null ? null : moneyToNumber(price),
  }));

/** What the client is told when an order is confirmed before its shipment could be made. */
export const SHIPMENT_OWED =
  'The shipment could not be made yet. It follows by itself; ask for the order again to see it';
