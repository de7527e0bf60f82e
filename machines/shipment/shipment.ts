/** The types of the shipment domain: shipments, requests and changes. */
import type { ShipmentEventType } from './shipment.machine.ts';

/** The data of a real shipment, which the tombstone of an early void lacks. */
export interface Parcel {
  /** The UUID inside `TRK-<uuid>`. */
  readonly uuid: string;
  readonly carrier: string;
  /** RFC 3339, UTC. */
  readonly estimatedDelivery: string;
}

/** An existing shipment. An order has at most one. */
export interface Shipment {
  readonly orderId: number;
  /** Null for a tombstone: a void that came before the shipment and prevents its late creation. */
  readonly parcel: Parcel | null;
  /** CREATED, DELIVERED, VOIDED, or a status that the carrier or the shop reported. */
  readonly status: string;
  /** The version of the machine that set the status. */
  readonly machineVersion: number;
  /** The number of timeline entries. */
  readonly seq: number;
}

/** A request to create a shipment. */
export interface ShipmentRequest {
  readonly orderId: number;
  /** The customer who may read the shipment. */
  readonly customerId?: number | null | undefined;
  readonly customerName?: string | null | undefined;
  readonly deliveryAddress: string;
  readonly carrier: string;
}

/** A reported change of a shipment. */
export interface ShipmentChange {
  readonly orderId: number;
  /** The full tracking UUID, when the caller named the shipment by it; undefined when it named the order. */
  readonly uuid?: string | undefined;
  readonly event: ShipmentEventType;
  /** The status in the timeline. */
  readonly status: string;
  readonly location: string | null;
  /** Identifies this change, so that a repeat is recognised. */
  readonly id: string;
}
