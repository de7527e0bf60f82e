/** The table of reservations: one row per order, with its lines in parallel arrays. */
import type { ReservationStatus } from '../../../machines/stock/stock.book.ts';
import {
  array,
  bigint,
  DeclaredModel,
  key,
  made,
  money,
  type RowOf,
  text,
  time,
} from '../../../mixins/database/model.ts';

export const ReservationModel = new DeclaredModel('inventory', 'reservations', {
  orderId: key(bigint()),
  status: text<ReservationStatus>(),
  productIds: array(bigint()),
  quantities: array(bigint()),
  prices: array(money()),
  unavailable: array(bigint()),
  createdAt: made(time()),
  updatedAt: made(time()),
});

/** A row of `inventory.reservations`. */
export type ReservationColumns = RowOf<typeof ReservationModel>;
