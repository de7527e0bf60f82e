/** The first tables of orders. */
import { outboxTables } from '../../../mixins/events/outbox/outbox.schema.ts';

/** Orders, their history, and their idempotency keys. */
export const orders = {
  name: '0001-orders',
  sql: `
-- Lines are arrays: an order is written and read as one row. The view order_lines shows them as rows.
CREATE TABLE orders.orders (
  id                 bigint PRIMARY KEY,
  order_number       uuid NOT NULL,
  customer_id        bigint NOT NULL,
  customer_name      text,
  delivery_address   text NOT NULL,
  carrier            text NOT NULL,
  product_ids        bigint[] NOT NULL,
  quantities         bigint[] NOT NULL,
  prices_at_purchase numeric(12,2)[],
  total_price        numeric(12,2),
  tracking_number    text,
  estimated_delivery timestamptz,
  refusal            jsonb,
  order_date         timestamptz NOT NULL,
  request_id         text,
  keyed              boolean NOT NULL,
  -- The snapshot of the machine: a state a region, and the version of the chart that wrote it.
  status             text NOT NULL CHECK (status IN ('PENDING_CHECK', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
  stock_state        text NOT NULL,
  shipment_state     text NOT NULL,
  machine_version    smallint NOT NULL,
  -- seq counts what people see (the history), version counts writes (the lease changes it too).
  seq                integer NOT NULL,
  version            integer NOT NULL,
  -- What is owed: by whom it is worked on, when anyone may take it over, and how it went so far.
  owner              text,
  due_at             timestamptz,
  attempt            integer NOT NULL DEFAULT 0,
  last_error         text,
  waiting_since      timestamptz,
  parked_at          timestamptz,
  deadline_at        timestamptz NOT NULL,
  -- The body of an order placed without a key, while its repeat would carry it on.
  fingerprint        uuid
) WITH (fillfactor = 70);
CREATE INDEX orders_customer ON orders.orders (customer_id, id);
CREATE INDEX orders_status ON orders.orders (status, id);
CREATE INDEX orders_products ON orders.orders USING gin (product_ids);
CREATE INDEX orders_due ON orders.orders (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX orders_pending_body ON orders.orders (customer_id, fingerprint)
  WHERE status = 'PENDING_CHECK' AND fingerprint IS NOT NULL;

CREATE VIEW orders.order_lines AS
  SELECT id AS order_id, line, product_id, quantity, price_at_purchase
  FROM orders.orders, unnest(product_ids, quantities, prices_at_purchase)
    WITH ORDINALITY AS lines (product_id, quantity, price_at_purchase, line);

CREATE TABLE orders.order_history (
  order_id    bigint NOT NULL,
  seq         integer NOT NULL,
  event       text NOT NULL,
  from_status text,
  to_status   text NOT NULL,
  at          timestamptz NOT NULL,
  detail      jsonb,
  PRIMARY KEY (order_id, seq)
);

CREATE TABLE orders.idempotency_keys (
  caller      text NOT NULL,
  key         text NOT NULL,
  fingerprint uuid NOT NULL,
  order_id    bigint NOT NULL,
  answer      json,
  created_at  timestamptz NOT NULL DEFAULT now(),
  rest_at     timestamptz,
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_order ON orders.idempotency_keys (order_id);
CREATE INDEX idempotency_keys_rest ON orders.idempotency_keys (rest_at) WHERE rest_at IS NOT NULL;
${outboxTables('orders')}`,
};
