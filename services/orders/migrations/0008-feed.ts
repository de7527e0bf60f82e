/** The feed: which history entries each transaction wrote, in an order that a reader can follow. */
import type { Migration } from '../../../mixins/database/migrations.ts';

// Identities are drawn before commits become visible, so they are no order. A transaction id is one once all older
// transactions have ended: readers stop before the oldest that still runs.
export const feed: Migration = {
  name: '0008-feed',
  sql: `
CREATE TABLE orders.feed (
  txid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
  position  bigint GENERATED ALWAYS AS IDENTITY,
  at        timestamptz NOT NULL DEFAULT now(),
  order_ids bigint[] NOT NULL,
  seqs      integer[] NOT NULL,
  PRIMARY KEY (txid, position)
);
CREATE INDEX feed_at ON orders.feed (at);`,
};
