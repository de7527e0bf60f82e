/** The reads for reconciliation: reservations, and products whose levels do not match them. */
import { QueryTypes } from 'sequelize';
import type { ImbalanceRecord } from '../../../machines/reconciliation/books.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { type KeysetRequest, keysetOptions } from '../../../mixins/database/keyset.ts';
import { columns, table, type TableModel } from '../../../mixins/database/model.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { ProductModel } from '../models/product.model.ts';
import { type ReservationColumns, ReservationModel } from '../models/reservation.model.ts';

// One statement reads levels and reservations in one snapshot, so that a change in progress is never taken for a fault.
const P = columns(ProductModel, 'p');
const R = columns(ReservationModel, 'r');
const IMBALANCES = `
SELECT coalesce(${P.id}, h.product_id) AS "productId", coalesce(${P.quantity}, 0) AS quantity,
       coalesce(${P.reservedQuantity}, 0) AS "reservedQuantity", coalesce(h.held, 0)::bigint AS held
  FROM ${table(ProductModel)} p
  FULL JOIN (SELECT l.product_id, sum(l.quantity) AS held
               FROM ${table(ReservationModel)} r, unnest(${R.productIds}, ${R.quantities}) AS l(product_id, quantity)
              WHERE ${R.status} = 'HELD' GROUP BY l.product_id) h ON h.product_id = ${P.id}
 WHERE coalesce(${P.reservedQuantity}, 0) <> coalesce(h.held, 0)
    OR NOT coalesce(${P.reservedQuantity}, 0) BETWEEN 0 AND coalesce(${P.quantity}, 0)
 ORDER BY 1 LIMIT $1`;

/** The maximum number of imbalances returned. */
const MAX_IMBALANCES = 1_000;

/** Reads over whole tables. */
export class ReservationQueries {
  readonly #database: Database;
  readonly #reservations: TableModel<typeof ReservationModel>;

  constructor(database: Database) {
    this.#database = database;
    this.#reservations = database.model(ReservationModel);
  }

  /** One page of reservations, by order id. @throws ServiceUnavailable */
  async page(request: KeysetRequest): Promise<ReservationColumns[]> {
    const rows = await orUnavailable(this.#reservations.findAll({ ...keysetOptions('orderId', request), raw: true }));
    return rows as unknown as ReservationColumns[];
  }

  /**
   * Products whose reserved quantity is out of bounds or not the sum of their reservations: by id, at most 1,000.
   * @throws ServiceUnavailable
   */
  async imbalances(): Promise<ImbalanceRecord[]> {
    const { sequelize } = this.#database;
    return orUnavailable(
      this.#database.search((transaction) =>
        sequelize.query<ImbalanceRecord>(IMBALANCES, {
          bind: [MAX_IMBALANCES],
          type: QueryTypes.SELECT,
          transaction,
        }),
      ),
    );
  }
}
