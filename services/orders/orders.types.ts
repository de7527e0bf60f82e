/** The parameters and results of the orders actions, for peers to import. Times are RFC 3339, money is a number. */
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

/** The call metadata of `orders.create`. */
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

/** An order as `orders.get` returns it. */
export interface OrderDetails extends OrderView {
  carrier: string;
  deliveryAddress: string;
  customerName: string | null;
  /** When it changed last. */
  updatedAt: string;
}

export interface PlacedOrder {
  order: OrderView;
  /** True when this is the first answer to an idempotency key, returned again. */
  replayed: boolean;
  /** Names what is still outstanding although the order is confirmed. */
  warning?: string;
}

/** The result of `orders.get`. */
export interface OrderWithTag {
  order: OrderDetails;
  /** The order's version, opaque. */
  etag: string;
}

/** `id` is the order id or `ORD-<uuid>`. */
export interface OrderIdParams {
  id: string | number;
}

export interface OrderCommandParams extends OrderIdParams {
  /** Apply the command only if the order has one of these etags; `*` matches any. */
  ifMatch?: string[];
}

export interface CancelParams extends OrderCommandParams {
  /** Kept in the history. */
  reason?: string | null;
}

export interface OrderSummary {
  orderId: number;
  orderNumber: string;
  status: OrderStatus;
  totalPrice: number | null;
  orderDate: string;
}

/** Selects a page of a list. */
export interface PageParams {
  limit?: number;
  /** The `next` of the previous page. */
  cursor?: string;
}

export interface ListByCustomerParams extends PageParams {
  customerId: number;
}

export interface SearchParams extends PageParams {
  /** One status, or several: an order in any of them matches. */
  status?: OrderStatus | readonly OrderStatus[];
  /** An order number or ID, a tracking number, or the ID of a product. Anything else matches nothing. */
  q?: string;
  customerId?: number;
  productId?: number;
  /** Placed at this instant or later. */
  from?: string;
  /** Placed before this instant. */
  to?: string;
  minTotal?: number;
  maxTotal?: number;
  /** `operator`: the work that the order owes is parked. */
  waitingFor?: Peer | 'operator';
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
  /**
   * Who did it: the role and subject of a token, `anonymous` without authentication, or the engine with its node. Null for
   * entries that an earlier version wrote.
   */
  actor: { role: string; subject?: string } | null;
  detail: Record<string, unknown> | null;
}

export interface Explanation {
  status: OrderStatus;
  /** The peer service that the order waits for, `operator` when it is parked, null at rest. */
  waitingFor: Peer | 'operator' | null;
  /** Failed attempts at the owed work so far. */
  attempt: number;
  lastError: string | null;
  /** Null while an attempt is in progress, and at rest. */
  nextAttemptAt: string | null;
  /** When the order is cancelled if it is still PENDING_CHECK; null in any other status. */
  deadline: string | null;
  allowedEvents: string[];
  waitingSince: string | null;
}

/** A place in the feed of all history entries. Compare the numbers of a transaction, then of its rows, then of their lines. */
export interface FeedPosition {
  /** The id of the transaction, a whole number as text. */
  txid: string;
  position: number;
  line: number;
  /** When it was written, in Unix milliseconds by the database's clock. */
  atMs: number;
}

/** A history entry in the feed, with its order. */
export interface FeedEntry extends HistoryEntryView {
  position: FeedPosition;
  customerId: number;
  orderId: number;
  orderNumber: string;
  /** The status after it: `to`. */
  status: OrderStatus;
}

/** Params of `orders.feed`. */
export interface FeedRequest {
  after?: FeedPosition;
}

export interface FeedPage {
  entries: FeedEntry[];
  next: FeedPosition;
  /** Whether there are more entries now. */
  more: boolean;
}
