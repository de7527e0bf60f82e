/**
 * The life of a shipment as a statechart: what may still happen to a parcel.
 *
 * Carriers report statuses of their own (`IN_TRANSIT`, `CUSTOMS_CLEARED`, `DELAYED` …). They are kept as the public
 * status; in the chart they are all one state, UNDERWAY. The machine has no context and no clock.
 */
import { setup, transition } from 'xstate';
import { InternalError } from '../shared/failure.ts';

/** Incremented by every change to the chart that gives an older snapshot a different meaning. */
export const SHIPMENT_MACHINE_VERSION = 1;

/** The states of the chart. */
export const SHIPMENT_STATES = ['CREATED', 'UNDERWAY', 'DELIVERED', 'VOIDED'] as const;
export type ShipmentState = (typeof SHIPMENT_STATES)[number];

/** Everything that can happen to a shipment after it is created. */
export const SHIPMENT_EVENTS = [
  /** The shop has handed the parcel over. Not allowed once the carrier has reported. */
  'SHIP',
  /** The carrier reports a status of its own. */
  'REPORT',
  'DELIVER',
  /** The order was cancelled. */
  'VOID',
] as const;
export type ShipmentEventType = (typeof SHIPMENT_EVENTS)[number];

export const shipmentMachine = setup({
  types: { events: {} as { type: ShipmentEventType } },
}).createMachine({
  id: 'shipment',
  initial: 'CREATED',
  states: {
    CREATED: { on: { SHIP: 'UNDERWAY', REPORT: 'UNDERWAY', DELIVER: 'DELIVERED', VOID: 'VOIDED' } },
    UNDERWAY: { on: { REPORT: 'UNDERWAY', DELIVER: 'DELIVERED', VOID: 'VOIDED' } },
    DELIVERED: { type: 'final' },
    VOIDED: { type: 'final' },
  },
});

/** Statuses that only the service sets; carriers cannot report them. */
export const RESERVED_STATUSES: readonly string[] = ['CREATED', 'VOIDED'];

/**
 * The chart's state of a stored shipment.
 * @throws InternalError when another version of the machine wrote the row: its status may have a different meaning.
 */
export function shipmentStateOf(status: string, version: number): ShipmentState {
  if (version !== SHIPMENT_MACHINE_VERSION) {
    throw new InternalError(
      `shipment machine version ${SHIPMENT_MACHINE_VERSION} cannot read a shipment of version ${version}`,
    );
  }
  return status === 'CREATED' || status === 'DELIVERED' || status === 'VOIDED' ? status : 'UNDERWAY';
}

/** The chart event of a reported status. */
export function eventOfStatus(status: string): ShipmentEventType {
  return status === 'DELIVERED' ? 'DELIVER' : 'REPORT';
}

type Steps = ReadonlyMap<ShipmentEventType, ShipmentState>;

const charted = new Map<ShipmentState, Steps>();

// A call to XState takes 15 µs or more; the chart has no context, so the steps of a state are computed once.
function stepsFrom(state: ShipmentState): Steps {
  const known = charted.get(state);
  if (known) return known;
  const snapshot = shipmentMachine.resolveState({ value: state });
  const steps = new Map<ShipmentEventType, ShipmentState>();
  for (const type of SHIPMENT_EVENTS) {
    if (snapshot.can({ type })) steps.set(type, transition(shipmentMachine, snapshot, { type })[0].value);
  }
  charted.set(state, steps);
  return steps;
}

/** The state an event leads to; undefined when the current state does not allow it. */
export function shipmentStep(state: ShipmentState, event: ShipmentEventType): ShipmentState | undefined {
  return stepsFrom(state).get(event);
}

/** The events allowed next. */
export function shipmentAllows(state: ShipmentState): ShipmentEventType[] {
  return [...stepsFrom(state).keys()];
}

/** True when the event's work is already done: repeating it succeeds and changes nothing. */
export function isShipmentRepeat(state: ShipmentState, event: ShipmentEventType): boolean {
  return (state === 'DELIVERED' && event === 'DELIVER') || (state === 'VOIDED' && event === 'VOID');
}
