/** SQL that makes the books of one order disagree, and what takes the order out of all of them. */
import type { DisagreementKind } from '../../machines/reconciliation/reconciliation.ts';
import { engine } from './reconciled-books.ts';

export const reservation = (set: string) => `UPDATE inventory.reservations SET ${set} WHERE order_id = $1`;
export const shipment = (set: string) => `UPDATE tracking.shipments SET ${set} WHERE order_id = $1`;
export const setOrder = (set: string, id: number) => engine.rows(`UPDATE orders.orders SET ${set} WHERE id = $1`, [id]);
export const noReservation = 'DELETE FROM inventory.reservations WHERE order_id = $1';
// What belongs to an order or a shipment goes with it: the database keeps no row of one that is not there.
export const noShipment = `WITH timeline AS (DELETE FROM tracking.shipment_events WHERE order_id = $1)
  DELETE FROM tracking.shipments WHERE order_id = $1`;
export const noOrder = `WITH history AS (DELETE FROM orders.order_history WHERE order_id = $1),
  keys AS (DELETE FROM orders.idempotency_keys WHERE order_id = $1) DELETE FROM orders.orders WHERE id = $1`;

/** What is found, of an order of which kind, after which statement on its id. */
export const planted: [kinds: DisagreementKind[], order: string, sql: string][] = [
  [
    ['WORK_FORGOTTEN'],
    'confirmed',
    `UPDATE orders.orders SET stock_state = 'consuming', status = 'SHIPPED' WHERE id = $1`,
  ],
  [['RESERVATION_WITHOUT_ORDER', 'SHIPMENT_WITHOUT_ORDER'], 'confirmed', noOrder],
  [['RESERVATION_WITHOUT_ORDER', 'SHIPMENT_WITHOUT_ORDER'], 'delivered', noOrder],
  [['RESERVATION_MISSING'], 'confirmed', noReservation],
  [['RESERVATION_MISSING'], 'cancelled', noReservation],
  [['RESERVATION_MISSING'], 'refused', noReservation],
  [['RESERVATION_NOT_HELD'], 'confirmed', reservation(`status = 'RELEASED'`)],
  [['RESERVATION_NOT_HELD'], 'confirmed', reservation(`status = 'CONSUMED'`)],
  [['SHIPPED_NOT_CONSUMED'], 'shipped', reservation(`status = 'HELD'`)],
  [['SHIPPED_NOT_CONSUMED'], 'delivered', reservation(`status = 'RELEASED'`)],
  [['CANCELLED_ORDER_HOLDS_STOCK'], 'cancelled', reservation(`status = 'HELD'`)],
  [['CANCELLED_ORDER_HOLDS_STOCK'], 'cancelled', reservation(`status = 'CONSUMED'`)],
  [['ITEMS_DIFFER'], 'confirmed', reservation(`quantities = '{7}'`)],
  [['ITEMS_DIFFER'], 'shipped', reservation(`product_ids = '{987654}'`)],
  [['SHIPMENT_MISSING'], 'confirmed', noShipment],
  [['SHIPMENT_MISSING'], 'cancelled', noShipment],
  [['SHIPMENT_VOIDED'], 'shipped', shipment(`status = 'VOIDED'`)],
  [['SHIPMENT_OF_CANCELLED_ORDER_LIVE'], 'cancelled', shipment(`status = 'CREATED'`)],
  [['TRACKING_NUMBER_DIFFERS'], 'confirmed', shipment(`tracking_number = gen_random_uuid()`)],
  [['DELIVERY_MISSED'], 'shipped', shipment(`status = 'DELIVERED', updated_at = now() - interval '61 s'`)],
  [['DELIVERY_MISSED'], 'confirmed', shipment(`status = 'DELIVERED', updated_at = now() - interval '61 s'`)],
  [
    ['CANCELLED_ORDER_HOLDS_STOCK', 'SHIPMENT_OF_CANCELLED_ORDER_LIVE'],
    'delivered',
    `UPDATE orders.orders SET status = 'CANCELLED' WHERE id = $1`,
  ],
];

/** A disagreement that was planted must not be found by the next test. */
export async function forget(orderId: number): Promise<void> {
  for (const sql of [noOrder, noReservation, noShipment]) await engine.rows(sql, [orderId]);
  await engine.rows(
    `UPDATE inventory.products p SET reserved_quantity = coalesce((SELECT sum(l.quantity) FROM inventory.reservation_lines l
       WHERE l.product_id = p.id AND l.status = 'HELD'), 0)`,
  );
}
