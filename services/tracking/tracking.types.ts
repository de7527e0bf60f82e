/** What `tracking.*` takes and answers, for peers to import. Times are RFC 3339 in UTC. */

export interface CreateShipmentParams {
  orderId: number;
  /** Whose it is: the customer who may ask for it. */
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
  /** False when the parcel is delivered already: nothing is left to void, and a repeat will not help. */
  success: boolean;
  message: string;
}

export interface GetShipmentParams {
  trackingNumber: string;
}

/** One entry of a timeline. The free fields its reporter added stand beside the named ones. */
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
  /** In the order in which they were recorded. */
  events: TimelineEntry[];
}

export interface AddEventParams {
  trackingNumber: string;
  /** A letter, then letters, digits and underscores, 50 at most; stored in capitals. */
  status: string;
  location?: string | null;
  /** A text, or any JSON. */
  details?: unknown;
  /** When it happened, RFC 3339; the present time if not given. */
  timestamp?: string | null;
  [free: string]: unknown;
}

/** The entry that was recorded, with the shipment it belongs to. */
export interface AddEventResult extends TimelineEntry {
  trackingNumber: string;
  orderId: number;
}
