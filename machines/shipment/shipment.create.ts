/** How a shipment is made: what it consists of, and what asking for it comes to when the order has one already. */
import type { DomainEvent } from '../shared/domain-event.ts';
import { IllegalTransition, OrderIdReused, type Failure } from '../shared/failure.ts';
import { estimateDelivery } from './delivery-estimate.ts';
import { shipmentUpdated } from './shipment.events.ts';
import { SHIPMENT_MACHINE_VERSION } from './shipment.machine.ts';
import type { Parcel, Shipment, ShipmentRequest } from './shipment.ts';
import { trackingNumberOf, trackingUuidOf } from './tracking-number.ts';

/** A shipment to be made, complete: writing it twice makes it once. */
export interface NewShipment extends Shipment {
  readonly parcel: Parcel;
  readonly deliveryAddress: string;
  readonly customerId: number | null;
  readonly customerName: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** What the world is told when it is made. */
  readonly announcement: DomainEvent<'shipment.updated'>;
}

/** The shipment that an order has, as far as it matters to whoever asks for one. */
export interface ExistingShipment extends Pick<Shipment, 'parcel' | 'status'> {
  /** Null for a void that came before the shipment. */
  readonly deliveryAddress: string | null;
}

/** What the order's shipment is known by. */
export interface MadeShipment {
  /** `TRK-<uuid>` */
  trackingNumber: string;
  /** RFC 3339, UTC. */
  estimatedDelivery: string;
}

/** The shipment of the order, made now or before; or why there is none. */
export type CreateOutcome = MadeShipment | Failure;

/** Gives a shipment its number, its estimate and its event. `random` is 8 bytes, `nowMs` Unix milliseconds. */
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
 * What asking for a shipment comes to, given the one that the order has now: that one, whoever has made it.
 * IllegalTransition when it was voided, even before it was made; OrderIdReused when it has another carrier or address.
 */
export function createOutcome(
  asked: NewShipment,
  { parcel, status, deliveryAddress }: ExistingShipment,
): CreateOutcome {
  const { orderId } = asked;
  if (status === 'VOIDED' || parcel === null) {
    return new IllegalTransition(`The shipment of order ${orderId} was voided, and is not made again`, {
      orderId,
      status: 'VOIDED',
      allowedEvents: [],
    });
  }
  if (parcel.carrier !== asked.parcel.carrier || deliveryAddress !== asked.deliveryAddress) {
    return new OrderIdReused(`Order ${orderId} has a shipment with another carrier or delivery address`, { orderId });
  }
  return { trackingNumber: trackingNumberOf(parcel.uuid), estimatedDelivery: parcel.estimatedDelivery };
}
