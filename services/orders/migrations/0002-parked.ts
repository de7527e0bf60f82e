/** An index of parked orders. */
import type { Migration } from '../../../mixins/database/migrations.ts';

export const parked: Migration = {
  name: '0002-parked',
  sql: `CREATE INDEX orders_parked ON orders.orders (parked_at) WHERE parked_at IS NOT NULL;`,
};
