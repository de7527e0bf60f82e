/** Why a stock was set, by whom and when. */
import type { Migration } from '../../../mixins/database/migrations.ts';

export const stockCounts: Migration = {
  name: '0004-stock-counts',
  sql: `
CREATE TABLE inventory.stock_counts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id bigint NOT NULL REFERENCES inventory.products (id),
  quantity_before bigint NOT NULL,
  quantity bigint NOT NULL,
  reason text NOT NULL,
  counted_by text NOT NULL,
  counted_at timestamptz NOT NULL
);
CREATE INDEX stock_counts_of_product ON inventory.stock_counts (product_id, id);`,
};
