/** The orders service as its peers see it: parameters and results of its actions. Times are RFC 3339, money is a number. */
import type { OrderStatus, Peer } from '../../machines/order/order.words.ts';

export interface OrderItem {
  productId: number;
  quantity: number;
}

export interface CreateOrderParams {
  customerId: number;
  items: OrderItem[];
  deliveryAddress: string;
  carrier: string;
  customerName?: string | null;
}

/** What travels beside the parameters of `orders.create`. */
export interface CallMeta {
  /** The `Idempotency-Key` of the request. Keys are per caller. */
  idempotencyKey?: string;
}

export interface OrderView {
  orderId: number;
  orderNumber: string;
  customerId: number;
  status: OrderStatus;
  totalPrice: number | null;
  orderDate: string;
  trackingNumber: string | null;
  estimatedDelivery: string | null;
  items: (OrderItem & { priceAtPurchase: number | null })[];
}

export interface PlacedOrder {
  order: OrderView;
  /** True when this repeats the first answer under an idempotency key. */
  replayed: boolean;
  /** Says what is not done yet although the order is confirmed. */
  warning?: string;
}

/** What `orders.get` answers. */
export interface OrderWithTag {
  order: OrderView;
  /** The order's version, opaque. */
  etag: string;
}

/** `id` is the number, or `ORD-<uuid>`. */
export interface OrderIdParams {
  id: string | number;
}

export interface OrderCommandParams extends OrderIdParams {
  /** Carry the command out only if the order has one of these etags, or exists at all for `*`. */
  ifMatch?: string[];
}

export interface OrderSummary {
  orderId: number;
  orderNumber: string;
  status: OrderStatus;
  totalPrice: number | null;
  orderDate: string;
}

/** Which page of a list is asked for. */
export interface PageParams {
  limit?: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface ListByCustomerParams extends PageParams {
  customerId: number;
}

export interface SearchParams extends PageParams {
  status?: OrderStatus;
  customerId?: number;
  productId?: number;
  /** Placed at this instant or later. */
  from?: string;
  /** Placed before this instant. */
  to?: string;
  minTotal?: number;
  maxTotal?: number;
  waitingFor?: Peer;
  /** Newest first by default; a minus sign means descending. */
  sort?: 'orderDate' | '-orderDate' | 'totalPrice' | '-totalPrice';
}

export interface SearchResult {
  orders: (OrderSummary & { customerId: number })[];
  next: string | null;
}

export interface HistoryEntryView {
  seq: number;
  event: string;
  from: OrderStatus | null;
  to: OrderStatus;
  at: string;
  detail: Record<string, unknown> | null;
}

export interface Explanation {
  status: OrderStatus;
  /** The peer service whose answer is outstanding, `operator` when attempts are used up, null at rest. */
  waitingFor: Peer | 'operator' | null;
  /** Failed attempts at it so far. */
  attempt: number;
  lastError: string | null;
  /** Null while an attempt is under way, and at rest. */
  nextAttemptAt: string | null;
  /** When an order that is still PENDING_CHECK is cancelled; null for others. */
  deadline: string | null;
  allowedEvents: string[];
  waitingSince: string | null;
}
