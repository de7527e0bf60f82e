/** Lets a customer's list be read from its index alone. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// Orders that a customer placed over years lie on as many pages; their entries in the index lie side by side. A change
// of an order makes new entries in any case, as its status is indexed too.
export const customerLists: Migration = {
  name: '0004-customer-lists',
  sql: `
DROP INDEX orders.orders_customer;
CREATE INDEX orders_customer ON orders.orders (customer_id, id) INCLUDE (order_number, status, total_price, order_date);`,
};
