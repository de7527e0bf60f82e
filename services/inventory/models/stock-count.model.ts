/** The table of counted stocks. */
import { bigint, DeclaredModel, key, made, type RowOf, text, time, to } from '../../../mixins/database/model.ts';
import { ProductModel } from './product.model.ts';

export const StockCountModel = new DeclaredModel('inventory', 'stock_counts', {
  id: made(key(bigint())),
  productId: to(ProductModel, 'id', bigint()),
  quantityBefore: bigint(),
  quantity: bigint(),
  reason: text(),
  // The subject of the caller's token.
  countedBy: text(),
  countedAt: time(),
});

/** A row of `inventory.stock_counts`. */
export type StockCountColumns = RowOf<typeof StockCountModel>;
