/** When a parcel should arrive: so many business days after it was made, by carrier. */

/** Business days a carrier needs. Names are compared without regard to case, spaces and punctuation. */
export const CARRIER_BUSINESS_DAYS: Readonly<Record<string, number>> = {
  DHL: 2,
  DHLEXPRESS: 1,
  UPS: 3,
  FEDEX: 2,
  DPD: 2,
  GLS: 3,
  HERMES: 4,
  EVRI: 4,
  USPS: 5,
  ROYALMAIL: 3,
  DEUTSCHEPOST: 3,
};

/** Business days for a carrier that is not listed. */
export const DEFAULT_BUSINESS_DAYS = 5;

/** The hour of the day, in UTC, by which parcels of that day have arrived. */
export const DELIVERED_BY_HOUR_UTC = 18;

const SATURDAY = 6;
const SUNDAY = 0;
const DAY_MS = 86_400_000;

/** Business days the carrier needs. */
export function businessDaysOf(carrier: string): number {
  const name = carrier.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return Object.hasOwn(CARRIER_BUSINESS_DAYS, name) ? (CARRIER_BUSINESS_DAYS[name] as number) : DEFAULT_BUSINESS_DAYS;
}

/**
 * The estimated delivery of a parcel made at `madeAtMs` (Unix milliseconds), in the same unit: always on a weekday, in
 * UTC. Public holidays are not known.
 */
export function estimateDelivery(carrier: string, madeAtMs: number): number {
  const midnight = madeAtMs - (madeAtMs % DAY_MS);
  const date = new Date(midnight);
  for (let left = businessDaysOf(carrier); left > 0; ) {
    date.setUTCDate(date.getUTCDate() + 1);
    const day = date.getUTCDay();
    if (day !== SATURDAY && day !== SUNDAY) left--;
  }
  return date.setUTCHours(DELIVERED_BY_HOUR_UTC);
}
