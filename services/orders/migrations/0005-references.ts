/** Foreign keys from history entries and idempotency keys to their order, for new rows. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// NOT VALID skips the check of existing rows, so that the table is locked only briefly.
export const references: Migration = {
  name: '0005-references',
  sql: `
ALTER TABLE orders.order_history ADD CONSTRAINT order_history_order
  FOREIGN KEY (order_id) REFERENCES orders.orders (id) NOT VALID;
ALTER TABLE orders.idempotency_keys ADD CONSTRAINT idempotency_keys_order
  FOREIGN KEY (order_id) REFERENCES orders.orders (id) NOT VALID;`,
};
