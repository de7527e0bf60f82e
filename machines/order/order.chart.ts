/** The order machine asked as a table: every (state, event) is decided by XState once and remembered. */
import { initialTransition, transition } from 'xstate';
import { type Announcement, orderMachine, type OwedMeta } from './order.machine.ts';
import { type Effect, ORDER_EVENTS, type OrderEventType, type OrderStatus, type Peer } from './order.words.ts';

/** A state of the chart: one state a region. */
export interface OrderState {
  readonly order: string;
  readonly stock: string;
  readonly shipment: string;
}

/** Work a state owes, in the order in which it is to be done. */
export interface Owed {
  effect: Effect;
  from: Peer;
}

/** A state with all that follows from it. There is one object a state, so states are compared with `===`. */
export interface ChartState {
  readonly value: OrderState;
  readonly status: OrderStatus;
  /** What is still to be done at peer services; empty for an order at rest. */
  readonly owed: readonly Owed[];
  /** The events that may happen next. */
  readonly allows: readonly OrderEventType[];
}

/** What an event does: the state it leads to, and the events to announce in the same commit. */
export interface Step {
  readonly to: ChartState;
  readonly announces: readonly Announcement[];
}

type Snapshot = ReturnType<typeof orderMachine.resolveState>;

const states = new Map<string, ChartState>();
const steps = new Map<ChartState, Map<OrderEventType, Step>>();

// The chart has no context, so a state value is the whole snapshot and the number of steps is finite. Asking XState
// costs 15 µs and more; an order asks several times.
const keyOf = (value: OrderState): string => `${value.order} ${value.stock} ${value.shipment}`;

// The stored value is text from a row: resolveState throws for what the chart does not know.
const resolve = (value: OrderState): Snapshot =>
  orderMachine.resolveState({ value: value as unknown as Parameters<typeof orderMachine.resolveState>[0]['value'] });

function remember(snapshot: Snapshot): ChartState {
  const value = snapshot.value as unknown as OrderState;
  const key = keyOf(value);
  const known = states.get(key);
  if (known) return known;
  const metas = Object.values<OwedMeta | undefined>(snapshot.getMeta());
  const state: ChartState = Object.freeze({
    value: Object.freeze({ order: value.order, stock: value.stock, shipment: value.shipment }),
    status: value.order as OrderStatus,
    owed: metas.filter((meta) => meta !== undefined).map((meta) => ({ effect: meta.owes, from: meta.from })),
    allows: ORDER_EVENTS.filter((type) => snapshot.can({ type })),
  });
  states.set(key, state);
  return state;
}

/** The state of an order that was just placed. */
export const INITIAL_STATE: ChartState = remember(initialTransition(orderMachine)[0]);

/**
 * Finds a stored state value in this code's chart.
 * @throws Error when the chart has no such state: the value was written by another version of the machine.
 */
export function stateOf(value: OrderState): ChartState {
  return states.get(keyOf(value)) ?? remember(resolve(value));
}

/** The states of a region in which something is owed to a peer, of this code's chart. */
export function statesOwing(region: 'stock' | 'shipment', peer: Peer): string[] {
  return Object.values(orderMachine.states[region]?.states ?? {})
    .filter(({ meta }) => meta?.from === peer)
    .map(({ key }) => key);
}

/** What an event does in a state; undefined when the state does not allow it. */
export function stepOf(state: ChartState, type: OrderEventType): Step | undefined {
  let known = steps.get(state);
  if (!known) steps.set(state, (known = new Map()));
  const remembered = known.get(type);
  if (remembered || !state.allows.includes(type)) return remembered;
  const [next, actions] = transition(orderMachine, resolve(state.value), { type });
  const step: Step = Object.freeze({
    to: remember(next),
    announces: actions.filter((action) => action.type === 'announce').map(({ params }) => params.topic),
  });
  known.set(type, step);
  return step;
}
