/** The prepared statements of the stock book's transaction, and the arrays they take. */
import { formatMoney } from '../../machines/money.ts';
import type { Admission } from '../../machines/stock-admission.ts';
import type { Reservation } from '../../machines/stock-book.ts';

export interface ProductRow {
  id: number;
  price: string;
  quantity: number;
  reserved_quantity: number;
  revision: number;
}

/** Locks in id order, so that no two batches wait for each other in a circle. */
export const LOCK_PRODUCTS = {
  name: 'lock-products',
  text: `SELECT id, price, quantity, reserved_quantity, revision FROM inventory.products
          WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE`,
};

/** The arrays come as text: JSON reads them faster than the driver does. */
export interface ReservationRow {
  order_id: number;
  status: Reservation['status'];
  product_ids: string;
  quantities: string;
  prices: string;
  unavailable: string;
}

/** A statement of its own after the locks, because it must see what was committed while they were waited for. */
export const READ_RESERVATIONS = {
  name: 'read-reservations',
  text: `SELECT order_id, status, array_to_json(product_ids)::text AS product_ids,
                array_to_json(quantities)::text AS quantities, array_to_json(prices::text[])::text AS prices,
                array_to_json(unavailable)::text AS unavailable
           FROM inventory.reservations WHERE order_id = ANY($1::bigint[])`,
};

/**
 * Writes a whole admission. A reservation that another node has inserted meanwhile is a unique violation (23505): it
 * can only be one that shares no product with this batch, since the others wait for the locks.
 */
export const WRITE_ADMISSION = {
  name: 'write-admission',
  text: `
WITH changed AS (
  UPDATE inventory.products p
     SET quantity = c.quantity, reserved_quantity = c.reserved, revision = c.revision, updated_at = $12::timestamptz
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS c(id, quantity, reserved, revision)
   WHERE p.id = c.id
), created AS (
  INSERT INTO inventory.reservations
         (order_id, status, product_ids, quantities, prices, unavailable, created_at, updated_at)
  SELECT order_id, status, product_ids::bigint[], quantities::bigint[], prices::numeric(12, 2)[], unavailable::bigint[],
         $12::timestamptz, $12::timestamptz
    FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
         AS r(order_id, status, product_ids, quantities, prices, unavailable)
), moved AS (
  UPDATE inventory.reservations r SET status = m.status, updated_at = $12::timestamptz
    FROM unnest($13::bigint[], $14::text[]) AS m(order_id, status)
   WHERE r.order_id = m.order_id
)
INSERT INTO inventory.outbox (events) SELECT $11::json WHERE $11::json IS NOT NULL`,
};

/** The parameters of WRITE_ADMISSION. `at` is RFC 3339. */
export function admissionValues({ products, created, moved, events }: Admission, at: string): unknown[] {
  // Two nodes that insert the same orders must do so in the same order, or they wait for each other in a circle.
  created.sort((a, b) => a.orderId - b.orderId);
  return [
    numbers(products.map((level) => level.productId)),
    numbers(products.map((level) => level.quantity)),
    numbers(products.map((level) => level.reserved)),
    numbers(products.map((level) => level.revision)),
    numbers(created.map((reservation) => reservation.orderId)),
    texts(created.map((reservation) => reservation.status)),
    texts(created.map((reservation) => numbers(reservation.productIds))),
    texts(created.map((reservation) => numbers(reservation.quantities))),
    texts(created.map((reservation) => `{${reservation.prices.map(formatMoney).join(',')}}`)),
    texts(created.map((reservation) => numbers(reservation.unavailable))),
    events.length > 0 ? JSON.stringify(events) : null,
    at,
    numbers(moved.map((reservation) => reservation.orderId)),
    texts(moved.map((reservation) => reservation.status)),
  ];
}

/** An array literal of numbers, written by hand because the driver escapes every element. */
export function numbers(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

/** An array literal of texts that hold neither quotes nor backslashes. */
function texts(values: readonly string[]): string {
  return values.length === 0 ? '{}' : `{"${values.join('","')}"}`;
}
