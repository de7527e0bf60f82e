/** History and idempotency keys belong to an order: from now on the database refuses rows of one that is not there. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// NOT VALID leaves the rows that are there unread, so that the table is locked for a moment only.
export const references: Migration = {
  name: '0005-references',
  sql: `
ALTER TABLE orders.order_history ADD CONSTRAINT order_history_order
  FOREIGN KEY (order_id) REFERENCES orders.orders (id) NOT VALID;
ALTER TABLE orders.idempotency_keys ADD CONSTRAINT idempotency_keys_order
  FOREIGN KEY (order_id) REFERENCES orders.orders (id) NOT VALID;`,
};
