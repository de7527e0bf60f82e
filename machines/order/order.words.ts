/** The vocabulary of orders: statuses, events, effects and peer services. */

/** The status of an order, the `order` region of the chart. */
export const ORDER_STATUSES = ['PENDING_CHECK', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Everything that can happen to an order after it is placed. */
export const ORDER_EVENTS = [
  /** Stock is reserved and the shipment created. */
  'SECURED',
  /** Stock is reserved, but tracking was unavailable: the shipment is still owed. */
  'RESERVED',
  /** Stock is insufficient, or a product is unknown. */
  'REFUSED',
  /** The owed shipment is created. */
  'SHIPMENT_CREATED',
  'CANCEL',
  'SHIP',
  'DELIVER',
  /** The order stayed in PENDING_CHECK too long. */
  'EXPIRE',
  'STOCK_CONSUMED',
  'STOCK_RELEASED',
  'SHIPMENT_VOIDED',
] as const;
export type OrderEventType = (typeof ORDER_EVENTS)[number];

/** Work owed to a peer service, which performs each effect idempotently by order id. */
export type Effect = 'secure' | 'createShipment' | 'consume' | 'release' | 'void';

/** The peer services an order can wait for. */
export const PEERS = ['inventory', 'tracking'] as const;
export type Peer = (typeof PEERS)[number];
