/** The DDL of a service's event tables: outbox, inbox and leases. */

/**
 * DDL for a service's first migration. `events.models.ts` describes the tables.
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
 * DDL for a later migration: the column `types`, the event types of a row, so that events without subscribers are not
 * read. It is null in rows of older nodes, which are read.
 */
export const outboxTypes = (schema: string): string => `ALTER TABLE ${schema}.outbox ADD COLUMN types text[];`;
