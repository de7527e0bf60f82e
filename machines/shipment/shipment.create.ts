/** Creates shipments, and decides the outcome of a request when the order already has one. */
import type { DomainEvent } from '../shared/domain-event.ts';
import { IllegalTransition, OrderIdReused, type Failure } from '../shared/failure.ts';
import { estimateDelivery } from './delivery-estimate.ts';
import { shipmentUpdated } from './shipment.events.ts';
import { SHIPMENT_MACHINE_VERSION } from './shipment.machine.ts';
import type { Parcel, Shipment, ShipmentRequest } from './shipment.ts';
import { trackingNumberOf, trackingUuidOf } from './tracking-number.ts';

/** A complete new shipment; writing it twice creates it once. */
export interface NewShipment extends Shipment {
  readonly parcel: Parcel;
  readonly deliveryAddress: string;
  readonly customerId: number | null;
  readonly customerName: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** The event to publish when it is created. */
  readonly announcement: DomainEvent<'shipment.updated'>;
}

/** The fields of an order's existing shipment that decide whether a request matches it. */
export interface ExistingShipment extends Pick<Shipment, 'parcel' | 'status'> {
  /** Null for the tombstone of a void that came before the shipment. */
  readonly deliveryAddress: string | null;
}

/** The public identity of a created shipment. */
export interface MadeShipment {
  /** `TRK-<uuid>` */
  trackingNumber: string;
  /** RFC 3339, UTC. */
  estimatedDelivery: string;
}

/** The shipment of the order, created now or earlier, or why there is none. */
export type CreateOutcome = MadeShipment | Failure;

/** Builds a shipment with its number, estimate and event. `random` is 8 bytes, `nowMs` Unix milliseconds. */
export function newShipment(request: ShipmentRequest, random: Uint8Array, nowMs: number): NewShipment {
  const { orderId, carrier, deliveryAddress, customerId = null, customerName = null } = request;
  const createdAt = new Date(nowMs).toISOString();
  const parcel: Parcel = {
    uuid: trackingUuidOf(orderId, random),
    carrier,
    estimatedDelivery: new Date(estimateDelivery(carrier, nowMs)).toISOString(),
  };
  const status = 'CREATED';
  const seq = 1;
  const announcement = shipmentUpdated({ orderId, seq, status, location: null }, parcel, createdAt);
  const machineVersion = SHIPMENT_MACHINE_VERSION;
  const addressed = { deliveryAddress, customerId, customerName };
  return { orderId, parcel, status, machineVersion, seq, ...addressed, createdAt, announcement };
}

/**
 * Decides a request for a shipment, given the one that the order has now: the answer is that shipment, whoever created
 * it. IllegalTransition when it was voided, even before it was created; OrderIdReused when its carrier or address differs.
 */
export function createOutcome(
  asked: NewShipment,
  { parcel, status, deliveryAddress }: ExistingShipment,
): CreateOutcome {
  const { orderId } = asked;
  if (status === 'VOIDED' || parcel === null) {
    return new IllegalTransition(`The shipment of order ${orderId} was voided and cannot be created again`, {
      orderId,
      status: 'VOIDED',
      allowedEvents: [],
    });
  }
  if (parcel.carrier !== asked.parcel.carrier || deliveryAddress !== asked.deliveryAddress) {
    return new OrderIdReused(`Order ${orderId} already has a shipment with a different carrier or delivery address`, {
      orderId,
    });
  }
  return { trackingNumber: trackingNumberOf(parcel.uuid), estimatedDelivery: parcel.estimatedDelivery };
}
