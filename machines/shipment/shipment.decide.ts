/** Where shipments decide what becomes of them: a batch of changes in order of arrival, without I/O and clock. */
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

/** Entries a timeline holds. Delivery and voiding are recorded even past it: orders wait for them. */
export const MAX_TIMELINE = 1_000;

/**
 * `recorded`: it is in the timeline now. `repeated`: it was so already, nothing was written. `absent`: there is no such
 * shipment. `refused`: the shipment's state does not allow it.
 */
export type ChangeOutcome =
  | { kind: 'recorded' }
  | { kind: 'repeated' }
  | { kind: 'absent' }
  | { kind: 'refused'; error: IllegalTransition };

/** The next entry of a timeline. */
export interface TimelineAddition<Change extends ShipmentChange> {
  readonly change: Change;
  readonly seq: number;
}

/** What was decided of a batch, and what has to be written for it to be true. */
export interface ShipmentDecisions<Change extends ShipmentChange> {
  /** In the order of the changes. */
  readonly outcomes: ChangeOutcome[];
  readonly additions: TimelineAddition<Change>[];
  /** Every shipment that has entries added, as it is after them. */
  readonly moved: Shipment[];
  /** An event for each addition. */
  readonly events: DomainEvent<'shipment.updated'>[];
}

/** The shipments as they were read. */
export interface ShipmentBook {
  /** Those of the batch that are there, by order id. */
  readonly shipments: ReadonlyMap<number, Shipment>;
  /** The ids of changes that an earlier try of the batch has recorded: they are not recorded again. */
  readonly recorded: ReadonlySet<string>;
}

/** Decides a batch of changes in order of arrival; `at` (RFC 3339, UTC) is when. The book is left as it is. */
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

/** What one change comes to, given the shipment it is about. */
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
    return refuse(`${status} cannot be recorded: the shipment of order ${orderId} is ${shipment.status}`);
  }
  if (full && !GOES_PAST_THE_END[event]) {
    return refuse(`The shipment of order ${orderId} has ${MAX_TIMELINE} events, and takes no more`);
  }
  return { kind: 'recorded' };
}

/** Whether a full timeline still takes it. */
const GOES_PAST_THE_END: Record<ShipmentEventType, boolean> = {
  SHIP: false,
  REPORT: false,
  DELIVER: true,
  VOID: true,
};
