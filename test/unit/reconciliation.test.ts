/** What an order at rest asks of its reservation and its shipment, status by status. */
import { expect, test } from '@jest/globals';
import { ORDER_STATUSES, type OrderStatus } from '../../machines/order/order.words.ts';
import type { OrderRecord, ReservationRecord, ShipmentRecord } from '../../machines/reconciliation/books.ts';
import { judgeOrder, judgeProduct } from '../../machines/reconciliation/reconciliation.ts';
import type { ReservationStatus } from '../../machines/stock/stock.book.ts';

const orderId = 7;
const items = [{ productId: 1, quantity: 2 }];
const RESERVATIONS: ReservationStatus[] = ['HELD', 'CONSUMED', 'RELEASED', 'REFUSED'];

const orderOf = (status: OrderStatus, changes: Partial<OrderRecord> = {}): OrderRecord => ({
  orderId,
  status,
  stock: 'reserved',
  shipment: status === 'CANCELLED' ? 'voided' : 'created',
  owes: [],
  planned: false,
  atRest: true,
  items,
  trackingNumber: 'TRK-1',
  seq: 2,
  ...changes,
});
const reservationOf = (status: ReservationStatus): ReservationRecord => ({ orderId, status, items });
const shipmentOf = (status: string, trackingNumber = 'TRK-1', unchangedMs = 0): ShipmentRecord => ({
  orderId,
  status,
  trackingNumber,
  unchangedMs,
});

const strays = (reserved: ReservationStatus, shipped: string) =>
  judgeOrder({ orderId, reservation: reservationOf(reserved), shipment: shipmentOf(shipped) }).map(({ kind }) => kind);

/** Which reservations fit; the shipment must be voided where none holds stock. Null: the order is not judged. */
const FITTING: Record<OrderStatus, ReservationStatus[] | null> = {
  PENDING_CHECK: null,
  CONFIRMED: ['HELD'],
  SHIPPED: ['CONSUMED'],
  DELIVERED: ['CONSUMED'],
  CANCELLED: ['RELEASED', 'REFUSED'],
};

for (const status of ORDER_STATUSES) {
  for (const reserved of RESERVATIONS) {
    for (const shipped of ['CREATED', 'IN_TRANSIT', 'VOIDED']) {
      const fitting = FITTING[status];
      const [reservationFits, shipmentFits] = [
        fitting?.includes(reserved) ?? true,
        fitting === null || (shipped === 'VOIDED') === (status === 'CANCELLED'),
      ];
      const sound = reservationFits && shipmentFits;
      test(`${status} ${sound ? 'agrees' : 'disagrees'} with a reservation ${reserved} and a shipment ${shipped}`, () => {
        const order = orderOf(status);
        const found = judgeOrder({
          orderId,
          order,
          reservation: reservationOf(reserved),
          shipment: shipmentOf(shipped),
        });
        expect(found.filter(({ kind }) => !kind.includes('SHIPMENT')).length).toBe(reservationFits ? 0 : 1);
        expect(found.filter(({ kind }) => kind.includes('SHIPMENT')).length).toBe(shipmentFits ? 0 : 1);
      });
    }
  }
}

test('an order in progress is not judged, unless no node will resume it', () => {
  const order = orderOf('SHIPPED', { owes: ['consume'], planned: true, atRest: false });
  expect(judgeOrder({ orderId, order })).toEqual([]);
  expect(judgeOrder({ orderId, order: { ...order, planned: false } })).toMatchObject([{ kind: 'WORK_FORGOTTEN' }]);
});

test('a status that only a later version knows is not judged', () => {
  const order = orderOf('RETURNED' as OrderStatus);
  expect(judgeOrder({ orderId, order })).toEqual([]);
});

test('a refused order never came to a shipment, and misses none', () => {
  const order = orderOf('CANCELLED', { stock: 'refused', shipment: 'none' });
  expect(judgeOrder({ orderId, order, reservation: reservationOf('REFUSED') })).toEqual([]);
});

test('the items are compared whatever the order of their lines', () => {
  const order = orderOf('CONFIRMED', {
    items: [
      { productId: 2, quantity: 1 },
      { productId: 1, quantity: 2 },
      { productId: 2, quantity: 1 },
    ],
  });
  const reservation = { ...reservationOf('HELD'), items: [...items, { productId: 2, quantity: 2 }] };
  const shipment = shipmentOf('CREATED');
  expect(judgeOrder({ orderId, order, reservation, shipment })).toEqual([]);
  const less = { ...reservation, items };
  expect(judgeOrder({ orderId, order, reservation: less, shipment })).toMatchObject([
    { kind: 'ITEMS_DIFFER', expected: 'product 2: 2', found: 'product 2: 0' },
  ]);
});

test('tombstones without an order are no disagreement, stock and parcels without an order are', () => {
  expect(strays('RELEASED', 'VOIDED')).toEqual([]);
  expect(strays('REFUSED', 'VOIDED')).toEqual([]);
  expect(strays('HELD', 'CREATED')).toEqual(['RESERVATION_WITHOUT_ORDER', 'SHIPMENT_WITHOUT_ORDER']);
  expect(strays('CONSUMED', 'DELIVERED')).toEqual(['RESERVATION_WITHOUT_ORDER', 'SHIPMENT_WITHOUT_ORDER']);
});

test('a product is compared with its reservations and with its stock', () => {
  const product = { productId: 3, quantity: 5, reservedQuantity: 2, held: 2 };
  const kinds = (changes: Partial<typeof product>) => judgeProduct({ ...product, ...changes }).map(({ kind }) => kind);
  expect(kinds({})).toEqual([]);
  expect(kinds({ held: 1 })).toEqual(['RESERVED_SUM_DIFFERS']);
  expect(kinds({ reservedQuantity: 6, held: 6 })).toEqual(['RESERVED_OUT_OF_BOUNDS']);
  expect(kinds({ reservedQuantity: -1 })).toEqual(['RESERVED_SUM_DIFFERS', 'RESERVED_OUT_OF_BOUNDS']);
});

test('a delivery that has not reached its order within a minute is missed; until then, or if its age is unknown, it is on its way', () => {
  const order = orderOf('SHIPPED');
  const kinds = (unchangedMs: number | undefined) =>
    judgeOrder({
      orderId,
      order,
      reservation: reservationOf('CONSUMED'),
      shipment: { ...shipmentOf('DELIVERED'), unchangedMs },
    }).map(({ kind }) => kind);
  expect(kinds(59_999)).toEqual([]);
  expect(kinds(60_000)).toEqual(['DELIVERY_MISSED']);
  expect(kinds(undefined)).toEqual([]);
});
