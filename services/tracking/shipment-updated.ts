/** The event that tells the world of a shipment's change. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { trackingNumberOf } from './tracking-number.ts';

export interface ShipmentUpdated extends Record<string, unknown> {
  orderId: number;
  trackingNumber: string;
  carrier: string;
  status: string;
  location: string | null;
  estimatedDelivery: string;
}

/** What is known of a shipment when it changes. `seq` counts the entries of its timeline from 1; `at` is now. */
export interface ShipmentChange {
  orderId: number;
  uuid: string;
  carrier: string;
  status: string;
  location: string | null;
  estimatedDelivery: string;
  seq: number;
  at: string;
}

/** Builds `shipment.updated`: the same entry of the same shipment always carries the same id. */
export function shipmentUpdated(change: ShipmentChange): DomainEvent<ShipmentUpdated> {
  const { orderId, uuid, carrier, status, location, estimatedDelivery, seq, at } = change;
  return {
    id: `shipment-${orderId}-${seq}`,
    type: 'shipment.updated',
    key: `shipment-${orderId}`,
    at,
    data: { orderId, trackingNumber: trackingNumberOf(uuid), carrier, status, location, estimatedDelivery },
  };
}
