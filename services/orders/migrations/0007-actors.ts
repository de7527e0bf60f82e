/** Who caused each entry of a history. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// Null for entries that an earlier version wrote, which nodes of that version still do while both run.
export const actors: Migration = {
  name: '0007-actors',
  sql: `ALTER TABLE orders.order_history ADD COLUMN actor jsonb;`,
};
