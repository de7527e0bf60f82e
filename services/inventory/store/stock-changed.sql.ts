/** The `stock.changed` events of changed products, put into the outbox by the statement, or the transaction, that changed them. */
import type { Sequelize, Transaction } from 'sequelize';
import { columns, table } from '../../../mixins/database/model.ts';
import { OutboxModel } from '../models/outbox.model.ts';
import { ProductModel } from '../models/product.model.ts';

const OUTBOX = columns(OutboxModel);
const P = columns(ProductModel, 'p');

/** What TELL_CHANGED reads of the products, as `p`. */
export const CHANGED = `${P.id} AS id, ${P.quantity} AS quantity, ${P.reservedQuantity} AS reserved, ${P.revision} AS revision`;

/**
 * Puts the event of each row of `changed` into the outbox. `$1` is the present time, RFC 3339. Nothing in it needs to be
 * escaped, and PostgreSQL's functions that build JSON take several times as long.
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

/** Puts the events of products that `transaction` has changed into the outbox. */
export async function tellChanged(
  sequelize: Sequelize,
  transaction: Transaction,
  ids: readonly number[],
  at: Date,
): Promise<void> {
  await sequelize.query(TELL, { bind: [at.toISOString(), [...ids]], transaction });
}
