/** What a shipment is, and what can happen to it. */
import type { ShipmentEventType } from './shipment.machine.ts';

/** What makes a shipment one that travels: a void that came before its shipment has none of it. */
export interface Parcel {
  /** The UUID inside `TRK-<uuid>`. */
  readonly uuid: string;
  readonly carrier: string;
  /** RFC 3339, UTC. */
  readonly estimatedDelivery: string;
}

/** A shipment that is there. There is at most one for an order. */
export interface Shipment {
  readonly orderId: number;
  /** Null for a void that came before the shipment: a mark that keeps a late one out. */
  readonly parcel: Parcel | null;
  /** CREATED, DELIVERED or VOIDED, or what a carrier or the shop has called it. */
  readonly status: string;
  /** The version of the machine that gave it its status. */
  readonly machineVersion: number;
  /** How many entries its timeline has. */
  readonly seq: number;
}

/** What is asked for when a shipment is to be made. */
export interface ShipmentRequest {
  readonly orderId: number;
  /** Whose it is: the customer who may ask for it. */
  readonly customerId?: number | null | undefined;
  readonly customerName?: string | null | undefined;
  readonly deliveryAddress: string;
  readonly carrier: string;
}

/** Something that is said to have happened to a shipment. */
export interface ShipmentChange {
  readonly orderId: number;
  /** The whole tracking UUID that was named; undefined when the order was named. */
  readonly uuid?: string | undefined;
  readonly event: ShipmentEventType;
  /** What the timeline calls it. */
  readonly status: string;
  readonly location: string | null;
  /** Names this change, so that one that is recorded already is recognised. */
  readonly id: string;
}
