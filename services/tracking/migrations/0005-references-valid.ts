/** Validates the foreign key for existing entries, in its own transaction, so that shipments can be created meanwhile. */
import type { Migration } from '../../../mixins/database/migrations.ts';

export const referencesValid: Migration = {
  name: '0005-references-valid',
  sql: `ALTER TABLE tracking.shipment_events VALIDATE CONSTRAINT shipment_events_shipment;`,
};
