/** The table of products: catalogue entry and stock. */
import {
  bigint,
  DeclaredModel,
  key,
  made,
  money,
  nullable,
  type RowOf,
  text,
  time,
} from '../../../mixins/database/model.ts';

export const ProductModel = new DeclaredModel('inventory', 'products', {
  id: made(key(bigint())),
  sku: text(),
  name: text(),
  description: nullable(text()),
  price: money(),
  quantity: made(bigint()),
  reservedQuantity: made(bigint()),
  // Counts the changes, for unique event ids.
  revision: made(bigint()),
  createdAt: made(time()),
  updatedAt: made(time()),
});

/** A row of `inventory.products`. */
export type ProductColumns = RowOf<typeof ProductModel>;
