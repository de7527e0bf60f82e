/** The business logic of shipments: decides a batch of changes in order of arrival. Pure, without I/O or a clock. */
import type { DomainEvent } from '../shared/domain-event.ts';
import { IllegalTransition } from '../shared/failure.ts';
import { shipmentUpdated } from './shipment.events.ts';
import {
  isShipmentRepeat,
  SHIPMENT_MACHINE_VERSION,
  type ShipmentEventType,
  shipmentAllows,
  shipmentStateOf,
  shipmentStep,
} from './shipment.machine.ts';
import type { Shipment, ShipmentChange } from './shipment.ts';

/** The maximum length of a timeline. Delivery and voiding are recorded beyond it, because orders wait for them. */
export const MAX_TIMELINE = 1_000;

/**
 * `recorded`: the change is in the timeline. `repeated`: it was already done, so nothing was written. `absent`: the
 * shipment does not exist. `refused`: the shipment's state does not allow the change.
 */
export type ChangeOutcome =
  | { kind: 'recorded' }
  | { kind: 'repeated' }
  | { kind: 'absent' }
  | { kind: 'refused'; error: IllegalTransition };

/** A new timeline entry. */
export interface TimelineAddition<Change extends ShipmentChange> {
  readonly change: Change;
  readonly seq: number;
}

/** The decisions on a batch, and what to write to make them take effect. */
export interface ShipmentDecisions<Change extends ShipmentChange> {
  /** In the order of the changes. */
  readonly outcomes: ChangeOutcome[];
  readonly additions: TimelineAddition<Change>[];
  /** Every shipment with new entries, in its new state. */
  readonly moved: Shipment[];
  /** One event per addition. */
  readonly events: DomainEvent<'shipment.updated'>[];
}

/** The shipments as read from the store. */
export interface ShipmentBook {
  /** The existing shipments of the batch, by order id. */
  readonly shipments: ReadonlyMap<number, Shipment>;
  /** The ids of changes that an earlier attempt at this batch recorded; they are not recorded again. */
  readonly recorded: ReadonlySet<string>;
}

/** Decides a batch of changes, in order of arrival, at time `at` (RFC 3339, UTC). Does not modify the book. */
export function decideChanges<Change extends ShipmentChange>(
  { shipments, recorded }: ShipmentBook,
  changes: readonly Change[],
  at: string,
): ShipmentDecisions<Change> {
  const moved = new Map<number, Shipment>();
  const additions: TimelineAddition<Change>[] = [];
  const events: DomainEvent<'shipment.updated'>[] = [];
  const outcomes = changes.map((change): ChangeOutcome => {
    if (recorded.has(change.id)) return { kind: 'recorded' };
    const { orderId, status, location } = change;
    const shipment = moved.get(orderId) ?? shipments.get(orderId);
    if (!shipment || (change.uuid !== undefined && change.uuid !== shipment.parcel?.uuid)) return { kind: 'absent' };
    const outcome = decideShipment(shipment, change);
    if (outcome.kind !== 'recorded' || shipment.parcel === null) return outcome;
    const seq = shipment.seq + 1;
    moved.set(orderId, { ...shipment, status, seq, machineVersion: SHIPMENT_MACHINE_VERSION });
    additions.push({ change, seq });
    events.push(shipmentUpdated({ orderId, seq, status, location }, shipment.parcel, at));
    return outcome;
  });
  return { outcomes, additions, moved: [...moved.values()], events };
}

/** Decides one change of a shipment. */
export function decideShipment(
  shipment: Shipment,
  { event, status }: Pick<ShipmentChange, 'event' | 'status'>,
): ChangeOutcome {
  const { orderId, seq } = shipment;
  const state = shipmentStateOf(shipment.status, shipment.machineVersion);
  if (isShipmentRepeat(state, event)) return { kind: 'repeated' };
  const full = seq >= MAX_TIMELINE;
  const refuse = (message: string): ChangeOutcome => {
    const allowedEvents = shipmentAllows(state).filter((allowed) => !full || GOES_PAST_THE_END[allowed]);
    return {
      kind: 'refused',
      error: new IllegalTransition(message, { orderId, status: shipment.status, allowedEvents }),
    };
  };
  if (shipment.parcel === null || shipmentStep(state, event) === undefined) {
    return refuse(`Cannot record ${status}: the shipment of order ${orderId} is ${shipment.status}`);
  }
  if (full && !GOES_PAST_THE_END[event]) {
    return refuse(`The timeline of order ${orderId}'s shipment is full (${MAX_TIMELINE} events)`);
  }
  return { kind: 'recorded' };
}

/** Whether a full timeline still accepts the event. */
const GOES_PAST_THE_END: Record<ShipmentEventType, boolean> = {
  SHIP: false,
  REPORT: false,
  DELIVER: true,
  VOID: true,
};
