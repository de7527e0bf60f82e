/** Writes `stock.changed` events to the outbox, in the statement or transaction that changes the products. */
import type { Sequelize, Transaction } from 'sequelize';
import { columns, table } from '../../../mixins/database/model.ts';
import { OutboxModel } from '../models/outbox.model.ts';
import { ProductModel } from '../models/product.model.ts';

const OUTBOX = columns(OutboxModel);
const P = columns(ProductModel, 'p');

/** The columns of a product `p` that TELL_CHANGED reads. */
export const CHANGED = `${P.id} AS id, ${P.quantity} AS quantity, ${P.reservedQuantity} AS reserved, ${P.revision} AS revision`;

/**
 * Writes an event for each row of `changed` to the outbox. `$1` is the current time, RFC 3339. It concatenates text because
 * no value needs escaping, and PostgreSQL's JSON functions take several times as long.
 */
export const TELL_CHANGED = `
  INSERT INTO ${table(OutboxModel)} (${OUTBOX.types}, ${OUTBOX.events})
  SELECT '{stock.changed}', concat('[', string_agg(concat(
           '{"id":"product-', id, '-', revision, '","type":"stock.changed","key":"product-', id, '","at":"', $1::text,
           '","data":{"productId":', id, ',"quantity":', quantity, ',"reservedQuantity":', reserved,
           ',"availableStock":', quantity - reserved, '}}'), ','), ']')::json
    FROM changed HAVING count(*) > 0`;

const TELL = `
WITH changed AS (SELECT ${CHANGED} FROM ${table(ProductModel)} p WHERE ${P.id} = ANY($2::bigint[])) ${TELL_CHANGED}`;

/** Writes the events of products that `transaction` has changed to the outbox. */
export async function tellChanged(
  sequelize: Sequelize,
  transaction: Transaction,
  ids: readonly number[],
  at: Date,
): Promise<void> {
  await sequelize.query(TELL, { bind: [at.toISOString(), [...ids]], transaction });
}
