/** The outcomes of placing an order, the answers to its repeats, and what is committed with a change. */
import { expect, test } from '@jest/globals';
import { uuidOf } from '../../machines/shared/ids.ts';
import { decide, place } from '../../machines/order/order.decide.ts';
import type { Decision, Order, OrderEvent } from '../../machines/order/order.ts';
import type { Due } from '../../mixins/actor/actor.ts';
import { hasExpired } from '../../services/orders/engine/expiry.ts';
import { fingerprintOf, repeatedAnswer, repeatOf, type Submission } from '../../services/orders/engine/idempotency.ts';
import { orderChange } from '../../services/orders/engine/order-change.ts';
import { answerOf } from '../../services/orders/engine/outcome.ts';
import type { Earlier, OrderMemory, Placement } from '../../services/orders/store/order.port.ts';

const AT = Date.UTC(2026, 5, 1);
const REQUEST: Submission = {
  customerId: 7,
  customerName: 'Ada',
  deliveryAddress: '12 St James Square',
  carrier: 'DHL',
  items: [{ productId: 1, quantity: 2 }],
  requestId: null,
  by: { role: 'anonymous' },
  keyed: true,
  caller: 'anonymous',
  key: 'key-1',
};
const SHIPMENT = { trackingNumber: 'TRK-1', estimatedDelivery: '2026-06-03T18:00:00.000Z' };
const prices = new Map([[1, 250n]]);

const placed = (changes: Partial<Submission> = {}, id = 4096): Decision =>
  place({ ...REQUEST, ...changes }, id, uuidOf(id, new Uint8Array(8).fill(id % 251)), AT);
const after = (order: Order, ...events: OrderEvent[]): Order =>
  events.reduce((state, event) => (decide(state, event, AT) as Decision).order, order);
const memoryOf = (state: Order): OrderMemory => ({
  id: state.id,
  state,
  version: 3,
  work: { owner: 'here', attempt: 0, lastError: null },
});
const change = (state: Order, event: OrderEvent | undefined, due: Due) =>
  orderChange({ memory: memoryOf(state), decision: event && decide(state, event, AT), due }, AT + 5_000);

const PLACEMENT: Placement = {
  decision: placed({}, 8192),
  caller: REQUEST.caller,
  key: REQUEST.key,
  fingerprint: fingerprintOf(REQUEST),
};
const earlierOf = (state: Order, given: Partial<Earlier> = {}): Earlier => ({
  memory: memoryOf(state),
  fingerprint: PLACEMENT.fingerprint,
  answer: null,
  running: false,
  ...given,
});

test('a fingerprint distinguishes bodies and callers, but not the order of fields', () => {
  const turned = Object.fromEntries(Object.entries(REQUEST).toReversed()) as unknown as Submission;
  expect(fingerprintOf(turned)).toBe(fingerprintOf(REQUEST));
  const others = [{ carrier: 'UPS' }, { caller: 'customer:7' }, { customerName: null }, { items: [] }];
  const prints = others.map((other) => fingerprintOf({ ...REQUEST, ...other }));
  expect(new Set([fingerprintOf(REQUEST), ...prints]).size).toBe(others.length + 1);
  expect(fingerprintOf(REQUEST)).toMatch(/^[0-9a-f]{32}$/);
});

test('a repeat is decided by the existing order: itself, decided or pending', () => {
  const pending = placed().order;
  expect(repeatOf(PLACEMENT, earlierOf(PLACEMENT.decision.order))).toBe('itself');
  expect(repeatOf(PLACEMENT, earlierOf(pending))).toBe('pending');
  expect(repeatOf(PLACEMENT, earlierOf(after(pending, { type: 'CANCEL' })))).toBe('decided');
  expect(() => repeatOf(PLACEMENT, earlierOf(pending, { fingerprint: 'other' }))).toThrow(
    expect.objectContaining({ type: 'IDEMPOTENCY_KEY_REUSED' }),
  );
  expect(() => repeatOf(PLACEMENT, earlierOf(pending, { running: true }))).toThrow(
    expect.objectContaining({ type: 'IDEMPOTENCY_KEY_IN_USE' }),
  );
  // Without a key the same body joins the first request while it runs.
  expect(repeatOf({ ...PLACEMENT, key: null }, earlierOf(pending, { running: true, fingerprint: null }))).toBe(
    'pending',
  );
});

test('the first answer for a key is stored by the change that confirms the order, and by no other', () => {
  const order = placed().order;
  const confirmed = change(order, { type: 'SECURED', prices, shipment: SHIPMENT }, { at: 'rest' });
  expect(confirmed.answer).toEqual({ order: expect.objectContaining({ status: 'CONFIRMED' }), replayed: false });
  const shipped = after(order, { type: 'SECURED', prices, shipment: SHIPMENT });
  expect(change(shipped, { type: 'SHIP' }, { at: 'lease' }).answer).toBeNull();
  expect(change(order, { type: 'CANCEL' }, { at: 'lease' }).answer).toBeNull();
  const keyless = placed({ keyed: false }).order;
  expect(change(keyless, { type: 'SECURED', prices, shipment: SHIPMENT }, { at: 'rest' }).answer).toBeNull();

  const repeated = repeatedAnswer(earlierOf(after(shipped, { type: 'SHIP' }), { answer: confirmed.answer }));
  expect(repeated).toEqual({ ...confirmed.answer, replayed: true });
});

test('parked work raises an event for the operator, with the committed state of the order and the time of the engine', () => {
  const due: Due = { at: 'parked', attempt: 4, lastError: 'never' };
  const { events } = change(placed().order, { type: 'RESERVED', prices }, due);
  expect(events.map(({ type }) => type)).toEqual(['order.confirmed', 'order.attentionRequired']);
  expect(events[1]).toEqual({
    id: 'order-4096-v4',
    type: 'order.attentionRequired',
    key: 'order-4096',
    at: new Date(AT + 5_000).toISOString(),
    data: {
      orderId: 4096,
      orderNumber: expect.stringMatching(/^ORD-/),
      customerId: 7,
      status: 'CONFIRMED',
      owes: ['createShipment'],
      attempt: 4,
      lastError: 'never',
    },
  });
  expect(change(placed().order, undefined, { ...due, at: 'pause', pauseMs: 1 }).events).toEqual([]);
});

test('placing comes to an answer, or to the failure that says what became of the order', () => {
  const order = placed().order;
  expect(() => answerOf(order)).toThrow(expect.objectContaining({ type: 'ORDER_PENDING' }));
  expect(answerOf(after(order, { type: 'RESERVED', prices }))).toMatchObject({ warning: expect.any(String) });
  expect(() => answerOf(after(order, { type: 'CANCEL' }), true)).toThrow(
    expect.objectContaining({ type: 'ORDER_CANCELLED', data: expect.objectContaining({ replayed: true }) }),
  );
  const refusal = { message: 'Product ID 1 has insufficient stock', unavailableProducts: [1] };
  expect(() => answerOf(after(order, { type: 'REFUSED', refusal }))).toThrow(
    expect.objectContaining({ message: refusal.message, type: 'INSUFFICIENT_STOCK' }),
  );
});

test('only an order that may still expire does so at its deadline', () => {
  const order = placed().order;
  expect(hasExpired({ memory: memoryOf(order), overdue: true })).toBe(true);
  expect(hasExpired({ memory: memoryOf(order), overdue: false })).toBe(false);
  const confirmed = after(order, { type: 'RESERVED', prices });
  expect(hasExpired({ memory: memoryOf(confirmed), overdue: true })).toBe(false);
});
