/** The tables of shipments and their timelines. */
import type { Migration } from '../../../mixins/database/migrations.ts';
import { outboxTables } from '../../../mixins/events/outbox/outbox.schema.ts';

// A tracking number contains its order id, so the primary key is the only index. The shipment's own row is the first entry
// of its timeline, so creating a shipment writes one row. A row without a number is the tombstone of an early void.
export const shipments: Migration = {
  name: '0001-shipments',
  sql: `
CREATE TABLE tracking.shipments (
  order_id bigint PRIMARY KEY,
  tracking_number uuid,
  customer_name text,
  delivery_address text,
  carrier text,
  status text NOT NULL,
  machine_version smallint NOT NULL,
  seq integer NOT NULL,
  estimated_delivery timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (tracking_number IS NOT NULL OR status = 'VOIDED')
);

CREATE TABLE tracking.shipment_events (
  order_id bigint NOT NULL,
  seq integer NOT NULL,
  event_id text NOT NULL,
  status text NOT NULL,
  location text,
  details jsonb,
  extra jsonb,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, seq)
);

${outboxTables('tracking')}
`,
};
