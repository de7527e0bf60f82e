/** A foreign key from timeline entries to their shipment, for new rows. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// NOT VALID skips the check of existing rows, so that the table is locked only briefly.
export const references: Migration = {
  name: '0004-references',
  sql: `
ALTER TABLE tracking.shipment_events ADD CONSTRAINT shipment_events_shipment
  FOREIGN KEY (order_id) REFERENCES tracking.shipments (order_id) NOT VALID;`,
};
