/** A tracking number on the way in. */
import { NotFound } from '../../../machines/shared/failure.ts';
import { parseTrackingNumber, type TrackingKey } from '../../../machines/shipment/tracking-number.ts';

/** What callers are told of a number that no shipment has, or none that they may see. */
export const noSuchShipment = (trackingNumber: string): NotFound =>
  new NotFound(`No shipment has the tracking number ${trackingNumber.slice(0, 60)}`);

/** Reads a tracking number. @throws NotFound for a text that cannot be one. */
export function trackingKeyOf(trackingNumber: string): TrackingKey {
  const key = parseTrackingNumber(trackingNumber);
  if (!key) throw noSuchShipment(trackingNumber);
  return key;
}
