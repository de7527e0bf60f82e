/** Validates the foreign keys for existing rows, in its own transaction, so that orders can be placed meanwhile. */
import type { Migration } from '../../../mixins/database/migrations.ts';

export const referencesValid: Migration = {
  name: '0006-references-valid',
  sql: `
ALTER TABLE orders.order_history VALIDATE CONSTRAINT order_history_order;
ALTER TABLE orders.idempotency_keys VALIDATE CONSTRAINT idempotency_keys_order;`,
};
