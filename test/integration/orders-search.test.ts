/** The search over all orders: by several statuses, by what they wait for, and by any number a person has at hand. */
import { beforeAll, expect, test } from '@jest/globals';
import type { OrderView, SearchResult } from '../../services/orders/orders.types.ts';
import { type Engine, hang, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

let engine: Engine;
let product: number;
let confirmed: OrderView;
let shipped: OrderView;
let cancelled: OrderView;

beforeAll(async () => {
  engine = await startEngine({ env: { ORDER_MAX_ATTEMPTS: '1' } });
  product = await engine.product();
  confirmed = await engine.confirmed(product);
  shipped = await engine.confirmed(await engine.product());
  cancelled = await engine.confirmed(product);
  await engine.command('ship', shipped.orderId);
  await engine.command('cancel', cancelled.orderId);
});

async function found(query: string): Promise<number[]> {
  const { status, body } = await engine.send<SearchResult>('GET', `/orders?${query}`);
  expect(status).toBe(200);
  return body.orders.map(({ orderId }) => orderId).toSorted((a, b) => a - b);
}

const faults = async (query: string): Promise<unknown> => {
  const { status, body } = await engine.send<{ details: { field: string }[] }>('GET', `/orders?${query}`);
  return [status, body.details.map(({ field }) => field)];
};

test('several statuses find the orders that have any of them', async () => {
  expect(await found('status=CONFIRMED')).toEqual([confirmed.orderId]);
  expect(await found('status=CONFIRMED,SHIPPED')).toEqual([confirmed.orderId, shipped.orderId]);
  expect(await found('status=DELIVERED,PENDING_CHECK')).toEqual([]);
  const overMesh = await engine.broker.call<SearchResult, object>('orders.search', {
    status: ['SHIPPED', 'CANCELLED'],
  });
  expect(overMesh.orders.map(({ orderId }) => orderId)).toEqual([cancelled.orderId, shipped.orderId]);
});

test('q finds an order by its number or id, by its tracking number, and by a product in it', async () => {
  const { orderId, orderNumber, trackingNumber } = shipped;
  for (const q of [orderNumber, orderNumber.toLowerCase(), String(orderId), trackingNumber]) {
    expect([q, await found(`q=${q}`)]).toEqual([q, [orderId]]);
  }
  expect(await found(`q=${product}`)).toEqual([confirmed.orderId, cancelled.orderId]);
  expect(await found(`q=${product}&status=CANCELLED`)).toEqual([cancelled.orderId]);
  for (const q of ['nothing', 'TRK-1', '99999999999999999999', `ORD-${orderNumber}`])
    expect(await found(`q=${q}`)).toEqual([]);
});

test('waitingFor=operator finds orders whose work is parked', async () => {
  expect(await found('waitingFor=operator')).toEqual([]);
  engine.disturb('inventory.release', hang);
  const { orderId } = await engine.confirmed(product);
  await engine.command('cancel', orderId);
  await eventually(async () => expect(await engine.explain(orderId)).toMatchObject({ waitingFor: 'operator' }));
  expect(await found('waitingFor=operator')).toEqual([orderId]);
  engine.disturb('inventory.release', undefined);
});

test('an unknown status among several is named, and so is an unknown wait', async () => {
  expect(await faults('status=LOST')).toEqual([400, ['status']]);
  expect(await faults('status=CONFIRMED,LOST&waitingFor=nobody')).toEqual([400, ['status', 'waitingFor']]);
});
