/** Writes to the catalogue: new products and their descriptions and prices, each with its event in one statement. */
import { DuplicateSku } from '../../../machines/stock/stock.failures.ts';
import { NotFound } from '../../../machines/shared/failure.ts';
import { formatMoney, parseMoney } from '../../../machines/shared/money.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { isDuplicate, orUnavailable } from '../../../mixins/database/sql-failure.ts';
import type { NewProduct, ProductChange } from '../inventory.types.ts';
import type { ProductColumns } from '../models/product.model.ts';

/**
 * Puts the `stock.changed` event of each row of `changed` into the outbox. `$1` is the present time, RFC 3339. Nothing
 * in it needs to be escaped, and PostgreSQL's functions that build JSON take several times as long.
 */
export const TELL_CHANGED = `
  INSERT INTO inventory.outbox (types, events)
  SELECT '{stock.changed}', concat('[', string_agg(concat(
           '{"id":"product-', id, '-', revision, '","type":"stock.changed","key":"product-', id, '","at":"', $1::text,
           '","data":{"productId":', id, ',"quantity":', quantity, ',"reservedQuantity":', reserved_quantity,
           ',"availableStock":', quantity - reserved_quantity, '}}'), ','), ']')::json
    FROM changed HAVING count(*) > 0`;

const COLUMNS = 'id, sku, name, description, price, quantity, reserved_quantity, revision';

const CREATE = `
WITH changed AS (
  INSERT INTO inventory.products (sku, name, description, price, quantity, created_at, updated_at)
  VALUES ($2, $3, $4, $5, $6, $1::text::timestamptz, $1::text::timestamptz) RETURNING ${COLUMNS}
), told AS (${TELL_CHANGED})
SELECT * FROM changed`;

const UPDATE = `
WITH changed AS (
  UPDATE inventory.products
     SET name = coalesce($3, name), description = CASE WHEN $4 THEN $5 ELSE description END,
         price = coalesce($6, price), revision = revision + 1, updated_at = $1::text::timestamptz
   WHERE id = $2 RETURNING ${COLUMNS}
), told AS (${TELL_CHANGED})
SELECT * FROM changed`;

/** A JSON number as NUMERIC reads it; the caller has checked that it is money. */
const decimal = (price: number): string => formatMoney(parseMoney(String(price)));

/** The catalogue of products. */
export class ProductStore {
  readonly #database: Database;
  readonly #eventsWritten: () => void;

  /** `eventsWritten` is called after each commit, which put an event into the outbox. */
  constructor(database: Database, eventsWritten: () => void) {
    this.#database = database;
    this.#eventsWritten = eventsWritten;
  }

  /** @throws DuplicateSku when another product has the sku: nothing is written. */
  async create({ sku, name, description, price, initialStock }: NewProduct): Promise<ProductColumns> {
    const values = [new Date().toISOString(), sku, name, description ?? null, decimal(price), initialStock ?? 0];
    try {
      return (await this.#write(CREATE, values)) as ProductColumns;
    } catch (error) {
      if (isDuplicate(error)) throw new DuplicateSku(`There is a product with the sku ${sku} already`, { sku });
      throw error;
    }
  }

  /** Changes what is given and nothing else; null stands for nothing, but empties a description. Reservations keep the price they were made at. @throws NotFound */
  async update({ id, name, description, price }: ProductChange): Promise<ProductColumns> {
    const row = await this.#write(UPDATE, [
      new Date().toISOString(),
      id,
      name ?? null,
      description !== undefined,
      description ?? null,
      typeof price === 'number' ? decimal(price) : null,
    ]);
    if (!row) throw new NotFound(`There is no product ${id}`);
    return row;
  }

  async #write(sql: string, values: unknown[]): Promise<ProductColumns | undefined> {
    const { rows } = await orUnavailable(this.#database.query<ProductColumns>(sql, values));
    if (rows.length > 0) this.#eventsWritten();
    return rows[0];
  }
}
