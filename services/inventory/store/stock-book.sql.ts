/** The prepared statements of the stock book, and their values. */
import { formatMoney } from '../../../machines/shared/money.ts';
import type { Admission } from '../../../machines/stock/stock.admission.ts';
import type { StockBook, StockLevel } from '../../../machines/stock/stock.book.ts';
import { texts, tokens } from '../../../mixins/database/batch-values.ts';
import { columns, selected, table } from '../../../mixins/database/model.ts';
import { type ProductColumns, ProductModel } from '../models/product.model.ts';
import { type ReservationColumns, ReservationModel } from '../models/reservation.model.ts';
import { CHANGED, TELL_CHANGED } from './stock-changed.sql.ts';

const PRODUCTS = table(ProductModel);
const RESERVATIONS = table(ReservationModel);
const PRODUCT = columns(ProductModel);
const P = columns(ProductModel, 'p');
const RESERVATION = columns(ReservationModel);
const R = columns(ReservationModel, 'r');

const LEVEL = ['id', 'price', 'quantity', 'reservedQuantity'] as const;
export type LevelRow = Pick<ProductColumns, (typeof LEVEL)[number]>;

/** Locks in id order, so that batches cannot deadlock. */
export const LOCK_PRODUCTS = {
  name: 'lock-products',
  text: `SELECT ${selected(ProductModel, LEVEL)} FROM ${PRODUCTS}
          WHERE ${PRODUCT.id} = ANY($1::bigint[]) ORDER BY ${PRODUCT.id} FOR NO KEY UPDATE`,
};

/** Arrays are read as JSON text, which is faster than the driver's array parser. */
export interface ReservationRow extends Pick<ReservationColumns, 'orderId' | 'status'> {
  productIds: string;
  quantities: string;
  prices: string;
  unavailable: string;
}

/** A separate statement after the locks, because it must see what was committed while waiting for them. */
export const READ_RESERVATIONS = {
  name: 'read-reservations',
  text: `SELECT ${selected(ReservationModel, ['orderId', 'status'])},
                array_to_json(${RESERVATION.productIds})::text AS "productIds",
                array_to_json(${RESERVATION.quantities})::text AS quantities,
                array_to_json(${RESERVATION.prices}::text[])::text AS prices,
                array_to_json(${RESERVATION.unavailable})::text AS unavailable
           FROM ${RESERVATIONS} WHERE ${RESERVATION.orderId} = ANY($1::bigint[])`,
};

/**
 * Writes an admission: the changes of levels, the new reservations, and the events. It fails as a race, writing nothing,
 * when a product's price has changed or its stock is too low (impossible while it is locked), or when an order already
 * has a reservation (23505).
 */
export const WRITE_ADMISSION = {
  name: 'write-admission',
  text: `
WITH changed AS (
  UPDATE ${PRODUCTS} p
     SET ${PRODUCT.quantity} = ${P.quantity} + c.quantity,
         ${PRODUCT.reservedQuantity} = ${P.reservedQuantity} + c.reserved,
         ${PRODUCT.revision} = ${P.revision} + 1, ${PRODUCT.updatedAt} = $1::text::timestamptz
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::numeric[]) AS c(id, quantity, reserved, price)
   WHERE ${P.id} = c.id AND ${P.price} = c.price
     AND ${P.quantity} + c.quantity >= ${P.reservedQuantity} + c.reserved
  RETURNING ${CHANGED}
), created AS (
  INSERT INTO ${RESERVATIONS} (${RESERVATION.orderId}, ${RESERVATION.status}, ${RESERVATION.productIds},
         ${RESERVATION.quantities}, ${RESERVATION.prices}, ${RESERVATION.unavailable}, ${RESERVATION.createdAt},
         ${RESERVATION.updatedAt})
  SELECT order_id, status, product_ids::bigint[], quantities::bigint[], prices::numeric(12, 2)[], unavailable::bigint[],
         $1::text::timestamptz, $1::text::timestamptz
    FROM unnest($6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
         AS r(order_id, status, product_ids, quantities, prices, unavailable)
), told AS (${TELL_CHANGED})
SELECT inventory.demand((SELECT count(*) FROM changed) = cardinality($2::bigint[]))`,
};

/** Changes the status of reservations whose products are locked. */
export const MOVE_RESERVATIONS = {
  name: 'move-reservations',
  text: `
UPDATE ${RESERVATIONS} r SET ${RESERVATION.status} = m.status, ${RESERVATION.updatedAt} = $1::text::timestamptz
  FROM unnest($2::bigint[], $3::text[]) AS m(order_id, status)
 WHERE ${R.orderId} = m.order_id`,
};

/** The values of WRITE_ADMISSION for an admission decided on `book`. `at` is RFC 3339. */
export function admissionValues({ products, created }: Admission, book: StockBook, at: string): unknown[] {
  // Nodes that write the same rows must do so in the same order to avoid deadlocks.
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

/** The values of MOVE_RESERVATIONS. */
export function moveValues({ moved }: Admission, at: string): unknown[] {
  return [
    at,
    tokens(moved.map((reservation) => reservation.orderId)),
    tokens(moved.map((reservation) => reservation.status)),
  ];
}
