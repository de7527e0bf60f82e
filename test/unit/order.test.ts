/** What an order learns, remembers and tells with each step. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IllegalTransition } from '../../machines/shared/failure.ts';
import { uuidOf } from '../../machines/shared/ids.ts';
import type { Cents } from '../../machines/shared/money.ts';
import { decide, place } from '../../machines/order/order.decide.ts';
import { type Decision, type Order, type OrderEvent, orderNumberOf } from '../../machines/order/order.ts';
import { ORDER_EVENTS } from '../../machines/order/order.words.ts';

const AT = Date.UTC(2026, 10, 22, 10, 0, 0);
const ID = 115_000_000_000_017;
const UUID = uuidOf(ID, new Uint8Array(8));
const SHIPMENT = { trackingNumber: `TRK-${UUID}`, estimatedDelivery: '2026-11-25T00:00:00.000Z' };
const PRICES = new Map<number, Cents>([
  [1, 1_990n],
  [2, 5n],
]);
const REFUSAL = { message: 'Insufficient stock', unavailableProducts: [2] };

const request = {
  customerId: 9,
  customerName: 'Ada Lovelace',
  deliveryAddress: '12 St James Square, London',
  carrier: 'DHL',
  requestId: 'request-1',
  keyed: false,
  items: [
    { productId: 1, quantity: 2 },
    { productId: 2, quantity: 3 },
    { productId: 1, quantity: 1 },
  ],
};

const EVENTS: Record<OrderEvent['type'], OrderEvent> = {
  SECURED: { type: 'SECURED', prices: PRICES, shipment: SHIPMENT },
  RESERVED: { type: 'RESERVED', prices: PRICES },
  REFUSED: { type: 'REFUSED', refusal: REFUSAL },
  SHIPMENT_CREATED: { type: 'SHIPMENT_CREATED', shipment: SHIPMENT },
  CANCEL: { type: 'CANCEL' },
  EXPIRE: { type: 'EXPIRE', reason: 'It took too long' },
  SHIP: { type: 'SHIP' },
  DELIVER: { type: 'DELIVER' },
  STOCK_CONSUMED: { type: 'STOCK_CONSUMED' },
  STOCK_RELEASED: { type: 'STOCK_RELEASED' },
  SHIPMENT_VOIDED: { type: 'SHIPMENT_VOIDED' },
  PARCEL_DELIVERED: { type: 'PARCEL_DELIVERED' },
};

const placed = (): Decision => place(request, ID, UUID, AT);

/** The order after some events, each of which must be allowed. */
function after(...types: OrderEvent['type'][]): Order {
  let { order } = placed();
  for (const type of types) {
    const decision = decide(order, EVENTS[type], AT);
    if (!decision) throw new Error(`${type} changed nothing`);
    ({ order } = decision);
  }
  return order;
}

function refusalOf(run: () => unknown): IllegalTransition {
  try {
    run();
  } catch (error) {
    if (error instanceof IllegalTransition) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('a new order is PENDING_CHECK with nothing known but what was asked for, and says so once', () => {
  const { order, history, announcements } = placed();
  expect(order).toMatchObject({
    id: ID,
    uuid: UUID,
    customerId: 9,
    total: null,
    shipment: null,
    refusal: null,
    seq: 1,
  });
  expect(order.lines).toEqual(request.items.map((item) => ({ ...item, price: null })));
  expect(order.state.status).toBe('PENDING_CHECK');
  expect(history).toEqual([{ seq: 1, event: 'PLACE', from: null, to: 'PENDING_CHECK', at: AT, detail: null }]);
  expect(announcements).toEqual([
    {
      id: `order-${ID}-1`,
      type: 'order.created',
      key: `order-${ID}`,
      at: '2026-11-22T10:00:00.000Z',
      data: expect.objectContaining({
        orderId: ID,
        orderNumber: `ORD-${UUID}`,
        customerId: 9,
        status: 'PENDING_CHECK',
      }),
    },
  ]);
});

test('SECURED confirms with prices, total and shipment, and announces both under ids of the same step', () => {
  const decision = decide(placed().order, EVENTS.SECURED, AT + 5) as Decision;
  expect(decision.order).toMatchObject({ total: 5_985n, shipment: SHIPMENT, seq: 2 });
  expect(decision.order.lines.map((line) => line.price)).toEqual([1_990n, 5n, 1_990n]);
  expect(decision.history).toEqual([
    { seq: 2, event: 'SECURED', from: 'PENDING_CHECK', to: 'CONFIRMED', at: AT + 5, detail: SHIPMENT },
  ]);
  expect(decision.announcements.map(({ id, type }) => [id, type])).toEqual([
    [`order-${ID}-2`, 'order.confirmed'],
    [`order-${ID}-2-1`, 'order.shipmentCreated'],
  ]);
  expect(decision.announcements[0]?.data).toMatchObject({ status: 'CONFIRMED', totalPrice: 59.85 });
});

test('RESERVED confirms without a shipment, which SHIPMENT_CREATED brings later', () => {
  const reserved = after('RESERVED');
  expect(reserved).toMatchObject({ total: 5_985n, shipment: null });
  expect(reserved.state.owed).toEqual([{ effect: 'createShipment', from: 'tracking' }]);
  expect(after('RESERVED', 'SHIPMENT_CREATED')).toMatchObject({ total: 5_985n, shipment: SHIPMENT });
});

test('REFUSED cancels, keeps why, and owes nothing', () => {
  const decision = decide(placed().order, EVENTS.REFUSED, AT) as Decision;
  expect(decision.order).toMatchObject({ refusal: REFUSAL, total: null });
  expect(decision.order.state).toMatchObject({ status: 'CANCELLED', owed: [] });
  expect(decision.history[0]?.detail).toEqual(REFUSAL);
  expect(decision.announcements[0]).toMatchObject({ type: 'order.cancelled', data: { unavailableProducts: [2] } });
});

test('the reason of a cancellation or an expiry is kept in the history', () => {
  const cancelled = decide(placed().order, { type: 'CANCEL', reason: 'changed my mind' }, AT) as Decision;
  expect(cancelled.history[0]).toMatchObject({ event: 'CANCEL', detail: { reason: 'changed my mind' } });
  const expired = decide(placed().order, EVENTS.EXPIRE, AT) as Decision;
  expect(expired.history[0]).toMatchObject({
    event: 'EXPIRE',
    to: 'CANCELLED',
    detail: { reason: 'It took too long' },
  });
});

test('the total is exact to the cent for any prices and quantities', () => {
  const line = fc.record({
    productId: fc.integer({ min: 1, max: 20 }),
    quantity: fc.integer({ min: 1, max: 1_000_000_000 }),
  });
  const prices = fc.array(fc.bigInt({ min: 0n, max: 999_999_999_999n }), { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), prices, (items, cents) => {
      const price = (productId: number): bigint => cents[productId - 1] as bigint;
      const { order } = place({ ...request, items }, ID, UUID, AT);
      const known = new Map(items.map(({ productId }) => [productId, price(productId)]));
      const decision = decide(order, { type: 'RESERVED', prices: known }, AT);
      let total = 0n;
      for (const { productId, quantity } of items) total += price(productId) * BigInt(quantity);
      expect(decision?.order.total).toBe(total);
    }),
  );
});

test('a reservation that names no price for a line is refused rather than taken as free', () => {
  const prices = new Map([[1, 1_990n]]);
  expect(() => decide(placed().order, { type: 'RESERVED', prices }, AT)).toThrow(RangeError);
});

const RUNS = fc.array(fc.constantFrom(...Object.values(EVENTS)), { maxLength: 14 });

test('whatever happens, the history has no gap, each entry begins where the last ended, and no event id comes twice', () => {
  fc.assert(
    fc.property(RUNS, (events) => {
      const first = placed();
      let { order } = first;
      const history = [...first.history];
      const ids = first.announcements.map(({ id }) => id);
      for (const event of events) {
        let decision: Decision | undefined;
        try {
          decision = decide(order, event, AT);
        } catch (error) {
          expect(error).toBeInstanceOf(IllegalTransition);
        }
        if (!decision) continue;
        // Deciding is pure: the same again is the same.
        expect(decide(order, event, AT)).toEqual(decision);
        ({ order } = decision);
        history.push(...decision.history);
        ids.push(...decision.announcements.map(({ id }) => id));
      }
      expect(history.map(({ seq }) => seq)).toEqual(history.map((_, i) => i + 1));
      expect(history.slice(1).map(({ from }) => from)).toEqual(history.slice(0, -1).map(({ to }) => to));
      expect(order.seq).toBe(history.length);
      expect(order.state.status).toBe(history.at(-1)?.to);
      expect(new Set(ids).size).toBe(ids.length);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['CANCEL', after('CANCEL')],
  ['CANCEL', after('REFUSED')],
  ['CANCEL', after('EXPIRE')],
  ['SHIP', after('SECURED', 'SHIP')],
  ['DELIVER', after('SECURED', 'SHIP', 'DELIVER')],
  ['PARCEL_DELIVERED', after('SECURED', 'SHIP', 'DELIVER')],
] as const)('%s repeated finds its work done and changes nothing', (type, order) => {
  expect(decide(order, EVENTS[type], AT)).toBeUndefined();
});

test('an event that the state does not allow is refused with the state and with all that is allowed', () => {
  const shipped = after('SECURED', 'SHIP');
  const refusal = refusalOf(() => decide(shipped, EVENTS.CANCEL, AT));
  expect(refusal.data).toEqual({
    orderId: ID,
    orderNumber: orderNumberOf(shipped),
    status: 'SHIPPED',
    allowedEvents: ['DELIVER', 'STOCK_CONSUMED'],
  });
  expect(refusal.message).toBe('An order that is SHIPPED cannot be cancelled; allowed now: deliver');
  expect(refusalOf(() => decide(after('CANCEL'), EVENTS.SHIP, AT)).message).toBe(
    'An order that is CANCELLED cannot be shipped; nothing more is allowed',
  );
});

test('an illegal event is refused in every state, never passed over', () => {
  for (const order of [placed().order, after('SECURED'), after('CANCEL'), after('SECURED', 'SHIP', 'DELIVER')]) {
    for (const type of ORDER_EVENTS) {
      if (order.state.allows.includes(type)) continue;
      const done = { CANCEL: 'CANCELLED', SHIP: 'SHIPPED', DELIVER: 'DELIVERED' }[type as string];
      if (done === order.state.status) continue;
      expect(refusalOf(() => decide(order, EVENTS[type], AT)).data.allowedEvents).toEqual(order.state.allows);
    }
  }
});

test('a parcel that arrives for an order nobody marked as shipped makes two steps in one commit', () => {
  const { order, history, announcements } = decide(after('SECURED'), EVENTS.PARCEL_DELIVERED, AT) as Decision;
  expect(order.state.status).toBe('DELIVERED');
  expect(order.state.owed).toEqual([{ effect: 'consume', from: 'inventory' }]);
  expect(history.map(({ seq, event, from, to }) => [seq, event, from, to])).toEqual([
    [3, 'SHIP', 'CONFIRMED', 'SHIPPED'],
    [4, 'DELIVER', 'SHIPPED', 'DELIVERED'],
  ]);
  expect(announcements.map(({ id, type }) => [id, type])).toEqual([
    [`order-${ID}-3`, 'order.shipped'],
    [`order-${ID}-4`, 'order.delivered'],
  ]);
});

test('a parcel that arrives makes a shipped order DELIVERED, and is refused before the order is confirmed', () => {
  expect(decide(after('SECURED', 'SHIP'), EVENTS.PARCEL_DELIVERED, AT)?.history).toMatchObject([{ event: 'DELIVER' }]);
  for (const order of [placed().order, after('CANCEL')]) {
    expect(refusalOf(() => decide(order, EVENTS.PARCEL_DELIVERED, AT)).data.status).toBe(order.state.status);
  }
});
