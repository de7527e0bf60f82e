/** What the inventory shows to whoever compares the books: its reservations, and the levels that do not fit them. */
import { type Model, type ModelStatic, QueryTypes } from 'sequelize';
import type { ImbalanceRecord } from '../../../machines/reconciliation/books.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { type KeysetRequest, keysetOptions } from '../../../mixins/database/keyset.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { defineReservation, type ReservationColumns } from '../models/reservation.model.ts';

// One statement sees levels and reservations of one instant, so that what is under way is never taken for a fault.
const IMBALANCES = `
SELECT coalesce(p.id, h.product_id) AS id, coalesce(p.quantity, 0) AS quantity,
       coalesce(p.reserved_quantity, 0) AS reserved, coalesce(h.held, 0) AS held
  FROM inventory.products p
  FULL JOIN (SELECT l.product_id, sum(l.quantity) AS held
               FROM inventory.reservations r, unnest(r.product_ids, r.quantities) AS l(product_id, quantity)
              WHERE r.status = 'HELD' GROUP BY l.product_id) h ON h.product_id = p.id
 WHERE coalesce(p.reserved_quantity, 0) <> coalesce(h.held, 0) OR NOT coalesce(p.reserved_quantity, 0) BETWEEN 0 AND coalesce(p.quantity, 0)
 ORDER BY 1 LIMIT $1`;

/** Imbalances answered at most. */
const MAX_IMBALANCES = 1_000;

/** Reads that go over whole tables. */
export class ReservationQueries {
  readonly #database: Database;
  readonly #reservations: ModelStatic<Model<ReservationColumns, ReservationColumns>>;

  constructor(database: Database) {
    this.#database = database;
    this.#reservations = defineReservation(database.sequelize);
  }

  /** The rows of one page of reservations, by order id. @throws ServiceUnavailable */
  async page(request: KeysetRequest): Promise<ReservationColumns[]> {
    const rows = await orUnavailable(this.#reservations.findAll({ ...keysetOptions('order_id', request), raw: true }));
    return rows as unknown as ReservationColumns[];
  }

  /**
   * The products, by id, whose levels are not what their live reservations add up to, or are out of bounds. At most
   * 1,000. @throws ServiceUnavailable
   */
  async imbalances(): Promise<ImbalanceRecord[]> {
    const { sequelize } = this.#database;
    const rows = await orUnavailable(
      this.#database.search((transaction) =>
        sequelize.query<Record<string, string>>(IMBALANCES, {
          bind: [MAX_IMBALANCES],
          type: QueryTypes.SELECT,
          transaction,
        }),
      ),
    );
    return rows.map((row) => ({
      productId: Number(row.id),
      quantity: Number(row.quantity),
      reservedQuantity: Number(row.reserved),
      held: Number(row.held),
    }));
  }
}
