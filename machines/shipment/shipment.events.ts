/** The event `shipment.updated`, published for every entry of a shipment's timeline, including its creation. */
import type { DomainEvent } from '../shared/domain-event.ts';
import type { Parcel } from './shipment.ts';
import { trackingNumberOf } from './tracking-number.ts';

/** The published part of a timeline entry. `seq` counts the entries from 1. */
export interface ToldEntry {
  readonly orderId: number;
  readonly seq: number;
  readonly status: string;
  readonly location: string | null;
}

/** The event of an entry created at `at` (RFC 3339, UTC). The same entry always gets the same event id. */
export function shipmentUpdated(
  { orderId, seq, status, location }: ToldEntry,
  { uuid, carrier, estimatedDelivery }: Parcel,
  at: string,
): DomainEvent<'shipment.updated'> {
  return {
    id: `shipment-${orderId}-${seq}`,
    type: 'shipment.updated',
    key: `shipment-${orderId}`,
    at,
    data: { orderId, trackingNumber: trackingNumberOf(uuid), carrier, status, location, estimatedDelivery },
  };
}
