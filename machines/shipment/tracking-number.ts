/** Tracking numbers: `TRK-` and a UUIDv7 whose first bits are the order id. */
import { idOf, uuidOf } from '../shared/ids.ts';

const PREFIX = 'TRK-';

/** How many random bytes a tracking UUID takes. */
export const TRACKING_RANDOM_BYTES = 8;

/** The tracking UUID of an order; `random` is 8 bytes that are used for nothing else. */
export function trackingUuidOf(orderId: number, random: Uint8Array): string {
  return uuidOf(orderId, random);
}

/** The number people see. */
export function trackingNumberOf(uuid: string): string {
  return PREFIX + uuid;
}

/** What a tracking number says by itself. */
export interface TrackingKey {
  uuid: string;
  orderId: number;
}

/**
 * The UUID of a tracking number, and the order whose shipment to look at; undefined for any other text. The caller
 * still compares the whole UUID with that shipment's.
 */
export function parseTrackingNumber(text: string): TrackingKey | undefined {
  if (text.slice(0, PREFIX.length).toUpperCase() !== PREFIX) return undefined;
  const uuid = text.slice(PREFIX.length).toLowerCase();
  const orderId = idOf(uuid);
  return orderId === undefined ? undefined : { uuid, orderId };
}
