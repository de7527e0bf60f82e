/** The order machine as a lookup table: XState evaluates each (state, event) pair once, and the result is cached. */
import { initialTransition, transition } from 'xstate';
import { type Announcement, orderMachine, type OwedMeta } from './order.machine.ts';
import { type Effect, ORDER_EVENTS, type OrderEventType, type OrderStatus, type Peer } from './order.words.ts';

/** A state of the chart: one state per region. */
export interface OrderState {
  readonly order: string;
  readonly stock: string;
  readonly shipment: string;
}

/** Work that a state owes to a peer service. */
export interface Owed {
  effect: Effect;
  from: Peer;
}

/** A state with everything derived from it. There is one object per state, so states are compared with `===`. */
export interface ChartState {
  readonly value: OrderState;
  readonly status: OrderStatus;
  /** The outstanding work at peer services; empty for an order at rest. */
  readonly owed: readonly Owed[];
  /** The events allowed next. */
  readonly allows: readonly OrderEventType[];
}

/** The result of an event: the next state, and the events to publish in the same commit. */
export interface Step {
  readonly to: ChartState;
  readonly announces: readonly Announcement[];
}

type Snapshot = ReturnType<typeof orderMachine.resolveState>;

const states = new Map<string, ChartState>();
const steps = new Map<ChartState, Map<OrderEventType, Step>>();

// The chart has no context, so a state value is the whole snapshot and the number of steps is finite. A call to XState
// takes 15 µs or more, and an order needs several.
const keyOf = (value: OrderState): string => `${value.order} ${value.stock} ${value.shipment}`;

// The value comes from a database row; resolveState throws when the chart has no such state.
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

/** The state of a new order. */
export const INITIAL_STATE: ChartState = remember(initialTransition(orderMachine)[0]);

/**
 * Looks up a stored state value in the chart.
 * @throws Error when the chart has no such state: another version of the machine wrote the value.
 */
export function stateOf(value: OrderState): ChartState {
  return states.get(keyOf(value)) ?? remember(resolve(value));
}

/** The states of a region that owe work to a peer. */
export function statesOwing(region: 'stock' | 'shipment', peer: Peer): string[] {
  return Object.values(orderMachine.states[region]?.states ?? {})
    .filter(({ meta }) => meta?.from === peer)
    .map(({ key }) => key);
}

/** The result of an event in a state; undefined when the state does not allow the event. */
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
