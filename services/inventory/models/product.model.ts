/** A product as it is stored: its entry in the catalogue and its stock. */
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
  // Counts the changes, and tells their events apart.
  revision: made(bigint()),
  createdAt: made(time()),
  updatedAt: made(time()),
});

/** A row of `inventory.products`. */
export type ProductColumns = RowOf<typeof ProductModel>;
