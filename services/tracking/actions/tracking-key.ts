/** Parses the tracking numbers that callers send. */
import { NotFound } from '../../../machines/shared/failure.ts';
import { parseTrackingNumber, type TrackingKey } from '../../../machines/shipment/tracking-number.ts';

/** The failure for a tracking number without a shipment that the caller may read. */
export const noSuchShipment = (trackingNumber: string): NotFound =>
  new NotFound(`No shipment has the tracking number ${trackingNumber.slice(0, 60)}`);

/** Parses a tracking number. @throws NotFound for any other text */
export function trackingKeyOf(trackingNumber: string): TrackingKey {
  const key = parseTrackingNumber(trackingNumber);
  if (!key) throw noSuchShipment(trackingNumber);
  return key;
}
