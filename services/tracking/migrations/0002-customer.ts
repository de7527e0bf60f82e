/** Says whose a shipment is. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// Null for shipments made before, and by hand without a customer: staff and admins alone see those.
export const customer: Migration = {
  name: '0002-customer',
  sql: `ALTER TABLE tracking.shipments ADD COLUMN customer_id bigint;`,
};
