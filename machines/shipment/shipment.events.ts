/** What the world is told of a shipment: `shipment.updated`, for its creation and for every entry after that. */
import type { DomainEvent } from '../shared/domain-event.ts';
import type { Parcel } from './shipment.ts';
import { trackingNumberOf } from './tracking-number.ts';

/** An entry of a timeline, as far as it is told. `seq` counts the entries from 1. */
export interface ToldEntry {
  readonly orderId: number;
  readonly seq: number;
  readonly status: string;
  readonly location: string | null;
}

/** The event of an entry, made at `at` (RFC 3339, UTC): the same entry of the same shipment always carries the same id. */
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
