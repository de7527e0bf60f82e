/**
 * The life of a shipment as a statechart: what may still happen to a parcel.
 *
 * Carriers report in words of their own (`IN_TRANSIT`, `CUSTOMS_CLEARED`, `DELAYED` …). Those words are kept as the
 * status people see; to the chart they are all one thing, a parcel that is underway. The machine has no context and no
 * clock.
 */
import { setup, transition } from 'xstate';
import { InternalError } from '../shared/failure.ts';

/** Grows with every change of the chart that makes an older snapshot mean something else. */
export const SHIPMENT_MACHINE_VERSION = 1;

/** The states of the chart. */
export const SHIPMENT_STATES = ['CREATED', 'UNDERWAY', 'DELIVERED', 'VOIDED'] as const;
export type ShipmentState = (typeof SHIPMENT_STATES)[number];

/** Everything that can happen to a shipment after it was made. */
export const SHIPMENT_EVENTS = [
  /** The shop has handed the parcel over. It adds nothing once the carrier has reported. */
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

/** Statuses that only the service itself gives; a carrier cannot report them. */
export const RESERVED_STATUSES: readonly string[] = ['CREATED', 'VOIDED'];

/**
 * The chart's state of a stored shipment.
 * @throws InternalError when the row was written by another version of the machine: its status may mean something else.
 */
export function shipmentStateOf(status: string, version: number): ShipmentState {
  if (version !== SHIPMENT_MACHINE_VERSION) {
    throw new InternalError(
      `a shipment of machine version ${version} cannot be read by version ${SHIPMENT_MACHINE_VERSION}`,
    );
  }
  return status === 'CREATED' || status === 'DELIVERED' || status === 'VOIDED' ? status : 'UNDERWAY';
}

/** What a reported status is to the chart. */
export function eventOfStatus(status: string): ShipmentEventType {
  return status === 'DELIVERED' ? 'DELIVER' : 'REPORT';
}

type Steps = ReadonlyMap<ShipmentEventType, ShipmentState>;

const charted = new Map<ShipmentState, Steps>();

// Asking XState costs 15 µs and more; the chart has no context, so each state is asked once.
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

/** The state an event leads to; undefined when the present state does not allow it. */
export function shipmentStep(state: ShipmentState, event: ShipmentEventType): ShipmentState | undefined {
  return stepsFrom(state).get(event);
}

/** The events that may happen next. */
export function shipmentAllows(state: ShipmentState): ShipmentEventType[] {
  return [...stepsFrom(state).keys()];
}

/** True when the event asks for what is already so: it is answered like the first time, and changes nothing. */
export function isShipmentRepeat(state: ShipmentState, event: ShipmentEventType): boolean {
  return (state === 'DELIVERED' && event === 'DELIVER') || (state === 'VOIDED' && event === 'VOID');
}
