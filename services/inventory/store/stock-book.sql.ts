/** The prepared statements of the stock book's transaction, and the arrays they take. */
import { formatMoney } from '../../../machines/shared/money.ts';
import type { Admission } from '../../../machines/stock/stock.admission.ts';
import type { Reservation, StockBook, StockLevel } from '../../../machines/stock/stock.book.ts';
import { texts, tokens } from '../../../mixins/database/columns.ts';
import { TELL_CHANGED } from './product.store.ts';

export interface ProductRow {
  id: number;
  price: string;
  quantity: number;
  reserved_quantity: number;
}

/** Locks in id order, so that no two batches wait for each other in a circle. */
export const LOCK_PRODUCTS = {
  name: 'lock-products',
  text: `SELECT id, price, quantity, reserved_quantity FROM inventory.products
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
 * Writes an admission: each product's share of the change, the new reservations, and the news. It fails as a race,
 * and writes nothing, when a product has another price or too little stock, which cannot be while it is locked, and
 * when an order has a reservation already (23505).
 */
export const WRITE_ADMISSION = {
  name: 'write-admission',
  text: `
WITH changed AS (
  UPDATE inventory.products p
     SET quantity = p.quantity + c.quantity, reserved_quantity = p.reserved_quantity + c.reserved,
         revision = p.revision + 1, updated_at = $1::text::timestamptz
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::numeric[]) AS c(id, quantity, reserved, price)
   WHERE p.id = c.id AND p.price = c.price AND p.quantity + c.quantity >= p.reserved_quantity + c.reserved
  RETURNING p.id, p.quantity, p.reserved_quantity, p.revision
), created AS (
  INSERT INTO inventory.reservations
         (order_id, status, product_ids, quantities, prices, unavailable, created_at, updated_at)
  SELECT order_id, status, product_ids::bigint[], quantities::bigint[], prices::numeric(12, 2)[], unavailable::bigint[],
         $1::text::timestamptz, $1::text::timestamptz
    FROM unnest($6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
         AS r(order_id, status, product_ids, quantities, prices, unavailable)
), told AS (${TELL_CHANGED})
SELECT inventory.demand((SELECT count(*) FROM changed) = cardinality($2::bigint[]))`,
};

/** Gives reservations that are locked with their products another status. */
export const MOVE_RESERVATIONS = {
  name: 'move-reservations',
  text: `
UPDATE inventory.reservations r SET status = m.status, updated_at = $1::text::timestamptz
  FROM unnest($2::bigint[], $3::text[]) AS m(order_id, status)
 WHERE r.order_id = m.order_id`,
};

/** The parameters of WRITE_ADMISSION, for an admission that was decided on `book`. `at` is RFC 3339. */
export function admissionValues({ products, created }: Admission, book: StockBook, at: string): unknown[] {
  // Two nodes that write the same rows must do so in the same order, or they wait for each other in a circle.
  products.sort((a, b) => a.productId - b.productId);
  created.sort((a, b) => a.orderId - b.orderId);
  const before = products.map((level) => book.products.get(level.productId) as StockLevel);
  return [
    at,
    tokens(products.map((level) => level.productId)),
    tokens(products.map((level, i) => level.quantity - (before[i] as StockLevel).quantity)),
    tokens(products.map((level, i) => level.reserved - (before[i] as StockLevel).reserved)),
    tokens(products.map((level) => formatMoney(level.price))),
    tokens(created.map((reservation) => reservation.orderId)),
    tokens(created.map((reservation) => reservation.status)),
    texts(created.map((reservation) => tokens(reservation.productIds))),
    texts(created.map((reservation) => tokens(reservation.quantities))),
    texts(created.map((reservation) => tokens(reservation.prices.map(formatMoney)))),
    texts(created.map((reservation) => tokens(reservation.unavailable))),
  ];
}

/** The parameters of MOVE_RESERVATIONS. */
export function moveValues({ moved }: Admission, at: string): unknown[] {
  return [
    at,
    tokens(moved.map((reservation) => reservation.orderId)),
    tokens(moved.map((reservation) => reservation.status)),
  ];
}
