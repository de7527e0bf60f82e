/** The words of an order: its statuses, what can happen to it, what it can owe, and to whom. */

/** The status of an order, the `order` region of the chart. */
export const ORDER_STATUSES = ['PENDING_CHECK', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Everything that can happen to an order after it was placed. */
export const ORDER_EVENTS = [
  /** Stock is reserved and the shipment made. */
  'SECURED',
  /** Stock is reserved; tracking was away, the shipment is still owed. */
  'RESERVED',
  /** Stock is short, or a product unknown. */
  'REFUSED',
  /** A shipment that was owed is made. */
  'SHIPMENT_CREATED',
  'CANCEL',
  'SHIP',
  'DELIVER',
  /** The order stayed PENDING_CHECK for too long. */
  'EXPIRE',
  'STOCK_CONSUMED',
  'STOCK_RELEASED',
  'SHIPMENT_VOIDED',
] as const;
export type OrderEventType = (typeof ORDER_EVENTS)[number];

/** Work owed to a peer service. Each is idempotent by order id there. */
export type Effect = 'secure' | 'createShipment' | 'consume' | 'release' | 'void';

/** The peer services an order can wait for. */
export const PEERS = ['inventory', 'tracking'] as const;
export type Peer = (typeof PEERS)[number];
