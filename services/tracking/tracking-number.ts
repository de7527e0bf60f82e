/** Tracking numbers: `TRK-` and a UUIDv7 whose first bits are the order id. */
import { idOf, uuidOf } from '../../machines/shared/ids.ts';
import { randomBytes } from '../../mixins/actor/random.ts';

const PREFIX = 'TRK-';

/** A new tracking UUID for an order; no two calls answer the same. */
export function newTrackingUuid(orderId: number): string {
  return uuidOf(orderId, randomBytes(8));
}

export function trackingNumberOf(uuid: string): string {
  return PREFIX + uuid;
}

/**
 * What a tracking number says by itself: its UUID, and the order whose row to look at; undefined for any other text.
 * The caller still compares the whole UUID with that row.
 */
export function parseTrackingNumber(text: string): { uuid: string; orderId: number } | undefined {
  if (text.slice(0, PREFIX.length).toUpperCase() !== PREFIX) return undefined;
  const uuid = text.slice(PREFIX.length).toLowerCase();
  const orderId = idOf(uuid);
  return orderId === undefined ? undefined : { uuid, orderId };
}
