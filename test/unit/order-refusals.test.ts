/** What an order is not allowed to do in its state, and a parcel that arrives early or late. */
import { expect, test } from '@jest/globals';
import { decide } from '../../machines/order/order.decide.ts';
import { type Decision, orderNumberOf } from '../../machines/order/order.ts';
import { ORDER_EVENTS } from '../../machines/order/order.words.ts';
import { AT, ID, EVENTS, placed, after, refusalOf } from '../support/decided-orders.ts';

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
