/** A covering index for the list of a customer's orders. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// A customer's orders are spread over many heap pages, but are adjacent in this index. Including more columns prevents no
// heap-only tuple (HOT) update: the status is already indexed.
export const customerLists: Migration = {
  name: '0004-customer-lists',
  sql: `
DROP INDEX orders.orders_customer;
CREATE INDEX orders_customer ON orders.orders (customer_id, id) INCLUDE (order_number, status, total_price, order_date);`,
};
