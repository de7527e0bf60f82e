/** Adds the customer to each shipment. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// Null for earlier shipments and those created by hand without a customer; only staff and admins can read them.
export const customer: Migration = {
  name: '0002-customer',
  sql: `ALTER TABLE tracking.shipments ADD COLUMN customer_id bigint;`,
};
