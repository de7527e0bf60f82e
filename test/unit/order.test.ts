/** What an order learns, remembers and tells with each step. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IllegalTransition } from '../../machines/shared/failure.ts';
import { decide, place } from '../../machines/order/order.decide.ts';
import { type Decision } from '../../machines/order/order.ts';
import { AT, ID, UUID, SHIPMENT, REFUSAL, request, EVENTS, placed, after } from '../support/decided-orders.ts';

test('a new order is PENDING_CHECK, contains only what was requested, and publishes one event', () => {
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
  expect(history).toEqual([
    { seq: 1, event: 'PLACE', from: null, to: 'PENDING_CHECK', at: AT, actor: { role: 'anonymous' }, detail: null },
  ]);
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
    { seq: 2, event: 'SECURED', from: 'PENDING_CHECK', to: 'CONFIRMED', at: AT + 5, actor: null, detail: SHIPMENT },
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

test('a reservation without a price for a line is refused rather than treated as free', () => {
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
