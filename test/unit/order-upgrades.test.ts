/** Snapshots of other versions of the order machine: older ones are brought up, newer ones are refused. */
import { expect, test } from '@jest/globals';
import { InternalError, ServiceUnavailable } from '../../machines/shared/failure.ts';
import type { OrderState } from '../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../machines/order/order.machine.ts';
import { ORDER_UPGRADES, type OrderUpgrades, upgrade } from '../../machines/order/order.upgrades.ts';
import { memoryOf, type OrderRow } from '../../services/orders/store/order.row.ts';

/** A past in which confirming was two steps, and stock had other words. */
const STEPS: OrderUpgrades = new Map([
  [-1, (value) => ({ ...value, stock: value.stock === 'HELD' ? 'held' : value.stock })],
  [0, (value) => ({ ...value, stock: value.stock === 'held' ? 'reserved' : value.stock })],
]);
const OLD: OrderState = { order: 'CONFIRMED', stock: 'HELD', shipment: 'created' };

const ROW: OrderRow = {
  id: 17,
  orderNumber: '00000000-0000-7000-8000-000000000000',
  customerId: 1,
  customerName: null,
  deliveryAddress: '12 St James Square',
  carrier: 'DHL',
  productIds: '{1}',
  quantities: '{2}',
  pricesAtPurchase: '{2.50}',
  totalPrice: '5.00',
  trackingNumber: null,
  estimatedDelivery: null,
  refusal: null,
  orderDate: 0,
  updatedAt: 0,
  requestId: null,
  keyed: false,
  status: OLD.order,
  stockState: OLD.stock,
  shipmentState: OLD.shipment,
  machineVersion: -1,
  seq: 2,
  version: 3,
  owner: null,
  attempt: 0,
  lastError: null,
};

test('a snapshot goes through every step from its version to this one, in order', () => {
  expect(upgrade(-1, OLD, STEPS)).toEqual({ order: 'CONFIRMED', stock: 'reserved', shipment: 'created' });
  expect(upgrade(0, { ...OLD, stock: 'held' }, STEPS)).toEqual({ ...OLD, stock: 'reserved' });
});

test('a snapshot of this version is left as it is', () => {
  expect(upgrade(ORDER_MACHINE_VERSION, OLD, STEPS)).toBe(OLD);
});

test('a snapshot of a newer version is refused as something that a newer node can do', () => {
  expect(() => upgrade(ORDER_MACHINE_VERSION + 1, OLD)).toThrow(ServiceUnavailable);
  expect(() => upgrade(ORDER_MACHINE_VERSION + 1, OLD)).toThrow('newer version');
});

test('a missing upgrade step is reported', () => {
  expect(() => upgrade(-2, OLD, STEPS)).toThrow(InternalError);
});

test('every version from 1 on has a step to the next', () => {
  const versions = Array.from({ length: ORDER_MACHINE_VERSION - 1 }, (_, i) => i + 1);
  expect([...ORDER_UPGRADES.keys()]).toEqual(versions);
});

test('an older row is read as an order of this machine', () => {
  const { state, version } = memoryOf(ROW, STEPS);
  expect(state.state.value).toEqual({ order: 'CONFIRMED', stock: 'reserved', shipment: 'created' });
  expect(state.state.allows).toContain('SHIP');
  expect(version).toBe(3);
});

test('a row of a state that the machine does not have cannot be read', () => {
  expect(() => memoryOf({ ...ROW, machineVersion: ORDER_MACHINE_VERSION })).toThrow(/HELD/);
});
