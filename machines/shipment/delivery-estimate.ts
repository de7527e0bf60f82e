/** Estimates the delivery of a parcel from its carrier's number of business days. */

/** Business days by carrier. Case, spaces and punctuation of the name do not matter. */
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

/** Business days for any other carrier. */
export const DEFAULT_BUSINESS_DAYS = 5;

/** The hour of the day, in UTC, by which parcels are delivered. */
export const DELIVERED_BY_HOUR_UTC = 18;

const SATURDAY = 6;
const SUNDAY = 0;
const DAY_MS = 86_400_000;

/** The business days that a carrier needs. */
export function businessDaysOf(carrier: string): number {
  const name = carrier.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return Object.hasOwn(CARRIER_BUSINESS_DAYS, name) ? (CARRIER_BUSINESS_DAYS[name] as number) : DEFAULT_BUSINESS_DAYS;
}

/**
 * The estimated delivery, in Unix milliseconds, of a parcel created at `madeAtMs` (Unix milliseconds): always on a
 * weekday in UTC. Public holidays are ignored.
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
