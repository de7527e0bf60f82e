/** The tables behind the events of a service: its outbox, its inbox, and the leases its single workers hold. */

/**
 * DDL for a service's first migration.
 *
 * `outbox`: one row a commit batch, holding an array of DomainEvent; inserted in the transaction that made the changes,
 * after the locks on what it changes are taken (ids are given out before the commit, so only then do two changes of one
 * key get ids in the order of their commits). The relay deletes a row once all its events are acknowledged.
 *
 * `outbox_parked`: rows the relay cannot read as events, set aside with the reason for an operator. Putting one back is
 * an INSERT of its events into `outbox`.
 *
 * `leases`: who is the one worker for a name, by the database's clock. `inbox`: event ids a consumer has handled.
 */
export function outboxTables(schema: string): string {
  return `
CREATE TABLE ${schema}.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  events json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (
  -- A queue is nearly always empty, and all its pages are dead: a share of its size says nothing about what to clean.
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 2000,
  toast.autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE ${schema}.outbox_parked (
  id bigint PRIMARY KEY,
  events json NOT NULL,
  created_at timestamptz NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL
);

CREATE TABLE ${schema}.leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  until timestamptz NOT NULL,
  term bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE ${schema}.inbox (
  consumer text NOT NULL,
  event_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received_at ON ${schema}.inbox (received_at);
`;
}

/**
 * DDL for a later migration: `types`, what a row's events are of, so that those nobody hears need not be read. Rows of
 * older nodes have none, and are read.
 */
export const outboxTypes = (schema: string): string => `ALTER TABLE ${schema}.outbox ADD COLUMN types text[];`;
