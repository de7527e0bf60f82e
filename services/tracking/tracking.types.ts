/** The parameters and results of the tracking actions, for peers to import. Times are RFC 3339 in UTC. */

export interface CreateShipmentParams {
  orderId: number;
  /** The customer who may read the shipment. */
  customerId?: number | null;
  customerName?: string | null;
  deliveryAddress: string;
  carrier: string;
}

export interface CreateShipmentResult {
  /** `TRK-<uuid>` */
  trackingNumber: string;
  estimatedDelivery: string;
}

export interface VoidShipmentParams {
  orderId: number;
}

export interface VoidShipmentResult {
  /** False when the parcel is already delivered and can no longer be voided; do not retry. */
  success: boolean;
  message: string;
}

export interface GetShipmentParams {
  trackingNumber: string;
}

export interface ListShipmentsParams {
  orderId: number;
}

/** One timeline entry: the named fields and the carrier's free fields. */
export interface TimelineEntry {
  status: string;
  /** When it happened. */
  timestamp: string;
  location: string | null;
  details: unknown;
  [free: string]: unknown;
}

export interface ShipmentResult {
  trackingNumber: string;
  orderId: number;
  carrier: string;
  status: string;
  estimatedDelivery: string;
  /** In the order of recording. */
  events: TimelineEntry[];
}

export interface AddEventParams {
  trackingNumber: string;
  /** A letter, then letters, digits and underscores, at most 50 characters; stored in upper case. */
  status: string;
  location?: string | null;
  /** Text or any other JSON value. */
  details?: unknown;
  /** When it happened, RFC 3339; the current time by default. */
  timestamp?: string | null;
  [free: string]: unknown;
}

/** The recorded entry, with its shipment. */
export interface AddEventResult extends TimelineEntry {
  trackingNumber: string;
  orderId: number;
}
