/** An entry of a timeline belongs to a shipment: from now on the database refuses one of a shipment that is not there. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// NOT VALID leaves the rows that are there unread, so that the table is locked for a moment only.
export const references: Migration = {
  name: '0004-references',
  sql: `
ALTER TABLE tracking.shipment_events ADD CONSTRAINT shipment_events_shipment
  FOREIGN KEY (order_id) REFERENCES tracking.shipments (order_id) NOT VALID;`,
};
