/** Tracking numbers: `TRK-` and a UUIDv7 whose first bits are the order id. */
import { idOf, uuidOf } from '../shared/ids.ts';

const PREFIX = 'TRK-';

/** The number of random bytes in a tracking UUID. */
export const TRACKING_RANDOM_BYTES = 8;

/** The tracking UUID of an order; `random` is 8 bytes that are not used elsewhere. */
export function trackingUuidOf(orderId: number, random: Uint8Array): string {
  return uuidOf(orderId, random);
}

/** The public tracking number. */
export function trackingNumberOf(uuid: string): string {
  return PREFIX + uuid;
}

/** The contents of a tracking number. */
export interface TrackingKey {
  uuid: string;
  orderId: number;
}

/**
 * Parses a tracking number into its UUID and order id; undefined for any other text. The caller must still compare the
 * whole UUID with that of the order's shipment.
 */
export function parseTrackingNumber(text: string): TrackingKey | undefined {
  if (text.slice(0, PREFIX.length).toUpperCase() !== PREFIX) return undefined;
  const uuid = text.slice(PREFIX.length).toLowerCase();
  const orderId = idOf(uuid);
  return orderId === undefined ? undefined : { uuid, orderId };
}
