/** The order's chart as a whole: every state that can be reached, every event in each, and what always holds. */
import { expect, test } from '@jest/globals';
import { initialTransition, transition } from 'xstate';
import { orderMachine } from '../../machines/order/order.machine.ts';
import { getShortestPaths } from 'xstate/graph';
import { type ChartState, INITIAL_STATE, type OrderState, stateOf, stepOf } from '../../machines/order/order.chart.ts';
import {
  type Effect,
  ORDER_EVENTS,
  ORDER_STATUSES,
  type OrderEventType,
  type OrderStatus,
} from '../../machines/order/order.words.ts';

const nameOf = ({ value }: ChartState): string => `${value.order} (${value.stock}, ${value.shipment})`;

/** Every state that some sequence of events leads to, in breadth-first order. */
function reachable(from: ChartState, events: readonly OrderEventType[]): ChartState[] {
  const found = [from];
  for (const state of found) {
    for (const event of events) {
      const to = stepOf(state, event)?.to;
      if (to && !found.includes(to)) found.push(to);
    }
  }
  return found;
}

const STATES = reachable(INITIAL_STATE, ORDER_EVENTS);

/** The events that answer an effect. */
const ANSWERS: Record<Effect, readonly OrderEventType[]> = {
  secure: ['SECURED', 'RESERVED', 'REFUSED'],
  createShipment: ['SHIPMENT_CREATED'],
  consume: ['STOCK_CONSUMED'],
  release: ['STOCK_RELEASED'],
  void: ['SHIPMENT_VOIDED'],
};

/** The commands and the expiry, by the status that allows them: what people are promised. */
const COMMANDS: Record<OrderStatus, readonly OrderEventType[]> = {
  PENDING_CHECK: ['CANCEL', 'EXPIRE'],
  CONFIRMED: ['CANCEL', 'SHIP'],
  SHIPPED: ['DELIVER'],
  DELIVERED: [],
  CANCELLED: [],
};

/** Where an event leads, told by status. */
const LEADS_TO: Partial<Record<OrderEventType, OrderStatus>> = {
  SECURED: 'CONFIRMED',
  RESERVED: 'CONFIRMED',
  REFUSED: 'CANCELLED',
  CANCEL: 'CANCELLED',
  EXPIRE: 'CANCELLED',
  SHIP: 'SHIPPED',
  DELIVER: 'DELIVERED',
};

/** Every transition caused by answers to owed effects, and no other. */
function restsOf(state: ChartState): ChartState[] {
  const answers = state.owed.flatMap(({ effect }) => ANSWERS[effect]);
  if (answers.length === 0) return [state];
  return answers.flatMap((event) => {
    const step = stepOf(state, event);
    // An answer may be one that this state no longer waits for, but then another region owes something else.
    return step ? restsOf(step.to) : [];
  });
}

for (const state of STATES) {
  const allowed = new Set([...COMMANDS[state.status], ...state.owed.flatMap(({ effect }) => ANSWERS[effect])]);
  for (const event of ORDER_EVENTS) {
    const name = nameOf(state);
    if (allowed.has(event)) {
      const to = LEADS_TO[event] ?? state.status;
      test(`${event} leads from ${name} to ${to}`, () => {
        expect(state.allows).toContain(event);
        expect(stepOf(state, event)?.to.status).toBe(to);
      });
    } else {
      test(`${event} is refused in ${name}`, () => {
        expect(state.allows).not.toContain(event);
        expect(stepOf(state, event)).toBeUndefined();
      });
    }
  }
}

test('every status is reached, and xstate/graph finds exactly the states that were walked', () => {
  const paths = getShortestPaths(orderMachine, { events: ORDER_EVENTS.map((type) => ({ type })) });
  const found = paths.map((path) => stateOf(path.state.value as unknown as OrderState));
  expect(new Set(found.map(nameOf))).toEqual(new Set(STATES.map(nameOf)));
  expect(new Set(STATES.map((state) => state.status))).toEqual(new Set(ORDER_STATUSES));
});

test('what is cached for a state equals what XState computes, for every state and event', () => {
  const [initial] = initialTransition(orderMachine);
  expect(initial.value).toEqual(INITIAL_STATE.value);
  for (const state of STATES) {
    const snapshot = orderMachine.resolveState({ value: state.value as unknown as typeof initial.value });
    for (const event of ORDER_EVENTS) {
      // Asked twice: the second answer comes from memory.
      const steps = [stepOf(state, event), stepOf(state, event)];
      expect(steps[1]).toBe(steps[0]);
      expect(state.allows.includes(event)).toBe(snapshot.can({ type: event }));
      if (!steps[0]) continue;
      const [next, actions] = transition(orderMachine, snapshot, { type: event });
      expect(steps[0].to.value).toEqual(next.value);
      const told = actions.filter((action) => action.type === 'announce');
      expect(steps[0].announces).toEqual(told.map((action) => action.params?.topic));
    }
  }
});

test('a state is the same frozen object however it was reached', () => {
  for (const state of STATES) {
    expect(stateOf({ ...state.value })).toBe(state);
    expect(Object.isFrozen(state) && Object.isFrozen(state.value)).toBe(true);
  }
});

test.each([
  { order: 'LOST', stock: 'reserved', shipment: 'created' },
  { order: 'CONFIRMED', stock: 'stolen', shipment: 'created' },
  { order: 'CONFIRMED', stock: 'reserved', shipment: 'sunk' },
])('a stored state that this chart does not have is refused: $order, $stock, $shipment', (value) => {
  expect(() => stateOf(value)).toThrow();
});

test('what was shipped or delivered is never cancelled, whatever happens', () => {
  for (const state of STATES.filter(({ status }) => status === 'SHIPPED' || status === 'DELIVERED')) {
    expect(reachable(state, ORDER_EVENTS).map(({ status }) => status)).not.toContain('CANCELLED');
    expect(['reserved', 'consuming', 'consumed']).toContain(state.value.stock);
    expect(['creating', 'created']).toContain(state.value.shipment);
  }
});

test('CANCELLED and DELIVERED have no way out', () => {
  for (const state of STATES.filter(({ status }) => status === 'CANCELLED' || status === 'DELIVERED')) {
    expect(new Set(reachable(state, ORDER_EVENTS).map(({ status }) => status))).toEqual(new Set([state.status]));
  }
});

test('a cancelled order at rest holds no stock and has no shipment', () => {
  const rests = STATES.filter(({ status }) => status === 'CANCELLED').flatMap(restsOf);
  expect(rests.length).toBeGreaterThan(0);
  for (const { value } of rests) {
    expect(['refused', 'released']).toContain(value.stock);
    expect(['none', 'voided']).toContain(value.shipment);
  }
});

test('a shipped order at rest has taken its stock exactly once and has its shipment', () => {
  const rests = STATES.filter(({ status }) => status === 'SHIPPED' || status === 'DELIVERED').flatMap(restsOf);
  for (const { value } of rests) {
    expect(value).toMatchObject({ stock: 'consumed', shipment: 'created' });
  }
});

test('every state that owes something comes to rest through the answers to its effects alone', () => {
  for (const state of STATES) {
    const rests = restsOf(state);
    expect(rests.length).toBeGreaterThan(0);
    for (const rest of rests) expect(rest.owed).toEqual([]);
  }
});

test('every answer to an owed effect is allowed, and settles that effect', () => {
  for (const state of STATES) {
    for (const { effect } of state.owed) {
      for (const answer of ANSWERS[effect]) {
        expect(state.allows).toContain(answer);
        expect(stepOf(state, answer)?.to.owed.map((owed) => owed.effect)).not.toContain(effect);
      }
    }
  }
});

test('a step of the order region is announced, and a step of the stock region is not', () => {
  for (const state of STATES) {
    for (const event of state.allows) {
      const { to, announces } = stepOf(state, event) ?? { to: state, announces: [] };
      if (to.status !== state.status) expect(announces[0]).toBe(`order.${to.status.toLowerCase()}`);
      else expect(announces).toEqual(event === 'SHIPMENT_CREATED' ? ['order.shipmentCreated'] : []);
    }
  }
});
