/** Holds the entries of before against the reference, while shipments are made: in a transaction of its own. */
import type { Migration } from '../../../mixins/database/migrations.ts';

export const referencesValid: Migration = {
  name: '0005-references-valid',
  sql: `ALTER TABLE tracking.shipment_events VALIDATE CONSTRAINT shipment_events_shipment;`,
};
