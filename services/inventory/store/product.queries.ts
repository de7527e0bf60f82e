/** Reads from the catalogue, through moleculer-db. */
import { Op } from 'sequelize';
import { NotFound } from '../../../machines/shared/failure.ts';
import { decodeCursor, encodeCursor } from '../../../mixins/database/cursor.ts';
import type { ReadAdapter } from '../../../mixins/database/read-model.mixin.ts';
import { isGiven } from '../../../mixins/params/params.ts';
import type { ProductListRequest } from '../inventory.types.ts';
import type { ProductColumns } from '../models/product.model.ts';

const DEFAULT_LIMIT = 50;

export class ProductQueries {
  readonly #adapter: ReadAdapter<ProductColumns>;

  constructor(adapter: ReadAdapter<ProductColumns>) {
    this.#adapter = adapter;
  }

  /** @throws NotFound, ServiceUnavailable */
  async get(id: number): Promise<ProductColumns> {
    const found = await this.#adapter.findById(id);
    if (!found) throw new NotFound(`Product ${id} does not exist`);
    return found;
  }

  /**
   * A page of products by id, or the one with a SKU; `next` is the cursor of the next page, null on the last one.
   * @throws ValidationFailed for a cursor that no list has returned, ServiceUnavailable
   */
  async list({
    sku,
    limit = DEFAULT_LIMIT,
    cursor,
  }: ProductListRequest): Promise<{ rows: ProductColumns[]; next: string | null }> {
    const query = {
      ...(isGiven(sku) && { sku }),
      ...(isGiven(cursor) && { id: { [Op.gt]: decodeCursor(cursor, 1)[0] } }),
    };
    const found = await this.#adapter.find({ query, sort: 'id', limit: limit + 1 });
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return { rows, next: found.length > limit && last ? encodeCursor([last.id]) : null };
  }
}
