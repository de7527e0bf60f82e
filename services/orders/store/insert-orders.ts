/** The statement that inserts new orders with their history, events and idempotency keys. */
import type pg from 'pg';
import { INITIAL_STATE } from '../../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order/order.machine.ts';
import { IDS_OF, packed, texts, tokens, unpack } from '../../../mixins/database/batch-values.ts';
import { columns, table } from '../../../mixins/database/model.ts';
import { FeedModel } from '../models/feed.model.ts';
import { IdempotencyKeyModel } from '../models/idempotency-key.model.ts';
import { OrderHistoryModel } from '../models/order-history.model.ts';
import { OrderModel } from '../models/order.model.ts';
import { OutboxModel } from '../models/outbox.model.ts';
import type { LeaseTerms, Placement } from './order.port.ts';

const ORDERS = table(OrderModel);
const ORDER = columns(OrderModel);
const HISTORY = columns(OrderHistoryModel);
const KEY = columns(IdempotencyKeyModel);
const FEED = columns(FeedModel);
const OUTBOX = columns(OutboxModel);

const COLUMNS = `${ORDER.id}, ${ORDER.orderNumber}, ${ORDER.customerId}, ${ORDER.customerName}, ${ORDER.deliveryAddress},
    ${ORDER.carrier}, ${ORDER.productIds}, ${ORDER.quantities}, ${ORDER.orderDate}, ${ORDER.requestId}, ${ORDER.keyed},
    ${ORDER.fingerprint}, ${ORDER.status}, ${ORDER.stockState}, ${ORDER.shipmentState}, ${ORDER.machineVersion},
    ${ORDER.seq}, ${ORDER.version}, ${ORDER.owner}, ${ORDER.dueAt}, ${ORDER.waitingSince}, ${ORDER.deadlineAt}`;
const VALUES = `id, order_number, customer_id, customer_name, delivery_address, carrier, product_ids::bigint[], quantities::bigint[],
    to_timestamp(placed_ms / 1000), request_id, key IS NOT NULL, CASE WHEN key IS NULL THEN fingerprint END,
    $15, $16, $17, $18, 1, 1, $19, now() + $20 * interval '1 ms', now(), now() + $21 * interval '1 ms'`;

// An existing key prevents its order, and so does a PENDING_CHECK order with the same body from the same customer. With a
// key, a duplicate id fails the statement: otherwise the key would remain and refer to the other order.
const KEYLESS = `placed AS (
  INSERT INTO ${ORDERS} (${COLUMNS}) SELECT ${VALUES} FROM input WHERE key IS NULL
  ON CONFLICT DO NOTHING RETURNING ${ORDER.id} AS id
)`;
const KEYED = `keys AS (
  INSERT INTO ${table(IdempotencyKeyModel)} (${KEY.caller}, ${KEY.key}, ${KEY.fingerprint}, ${KEY.orderId})
  SELECT caller, key, fingerprint, id FROM input WHERE key IS NOT NULL
  ON CONFLICT DO NOTHING RETURNING ${KEY.orderId} AS order_id
), keyless AS (
  INSERT INTO ${ORDERS} (${COLUMNS}) SELECT ${VALUES} FROM input WHERE key IS NULL
  ON CONFLICT DO NOTHING RETURNING ${ORDER.id} AS id
), keyed AS (
  INSERT INTO ${ORDERS} (${COLUMNS}) SELECT ${VALUES} FROM input WHERE id IN (SELECT order_id FROM keys)
  RETURNING ${ORDER.id} AS id
), placed AS (
  SELECT id FROM keyless UNION ALL SELECT id FROM keyed
)`;

const insert = (name: string, placing: string) => ({
  name,
  text: `
WITH input AS (
  SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[],
    ${unpack('$7')}, ${unpack('$8')}, $9::float8[], $10::uuid[], $11::text[], $12::text[], $13::text[], ${unpack('$14')},
    ${unpack('$22')})
  AS i (id, order_number, customer_id, customer_name, delivery_address, carrier, product_ids, quantities,
    placed_ms, fingerprint, caller, key, request_id, events, actor)
), ${placing}, logged AS (
  INSERT INTO ${table(OrderHistoryModel)} (${HISTORY.orderId}, ${HISTORY.seq}, ${HISTORY.event}, ${HISTORY.toStatus},
    ${HISTORY.at}, ${HISTORY.actor})
  SELECT id, 1, 'PLACE', $15, to_timestamp(placed_ms / 1000), actor::jsonb FROM input JOIN placed USING (id)
  RETURNING ${HISTORY.orderId} AS order_id, ${HISTORY.seq} AS seq
), fed AS (
  INSERT INTO ${table(FeedModel)} (${FEED.orderIds}, ${FEED.seqs})
  SELECT array_agg(order_id), array_agg(seq) FROM logged HAVING count(*) > 0
), told AS (
  INSERT INTO ${table(OutboxModel)} (${OUTBOX.types}, ${OUTBOX.events})
  SELECT '{order.created}', ('[' || string_agg(events, ',') || ']')::json FROM input JOIN placed USING (id) HAVING count(*) > 0
)
${IDS_OF} placed`,
});

// PostgreSQL opens every table of a statement, even if no row is written to it, and most batches have no key.
const INSERT_KEYLESS = insert('orders.insert-keyless', KEYLESS);
const INSERT = insert('orders.insert', KEYED);

/**
 * The statement and its values for a batch of placements. It returns the ids of those without a conflict, and fails as a
 * duplicate when a placement with a key has an id that is taken.
 */
export function insertStatement(placements: readonly Placement[], terms: LeaseTerms): pg.QueryConfig {
  const { order: status, stock, shipment } = INITIAL_STATE.value;
  const orders = placements.map(({ decision }) => decision.order);
  return {
    ...(placements.some(({ key }) => key !== null) ? INSERT : INSERT_KEYLESS),
    values: [
      tokens(orders.map((order) => order.id)),
      tokens(orders.map((order) => order.uuid)),
      tokens(orders.map((order) => order.customerId)),
      texts(orders.map((order) => order.customerName)),
      texts(orders.map((order) => order.deliveryAddress)),
      texts(orders.map((order) => order.carrier)),
      packed(orders.map((order) => tokens(order.lines.map((line) => line.productId)))),
      packed(orders.map((order) => tokens(order.lines.map((line) => line.quantity)))),
      tokens(orders.map((order) => order.placedAt)),
      tokens(placements.map(({ fingerprint }) => fingerprint)),
      texts(placements.map(({ caller }) => caller)),
      texts(placements.map(({ key }) => key)),
      texts(orders.map((order) => order.requestId)),
      packed(placements.map(({ decision }) => decision.announcements.map((event) => JSON.stringify(event)).join(','))),
      status,
      stock,
      shipment,
      ORDER_MACHINE_VERSION,
      terms.node,
      terms.leaseMs,
      terms.ttlMs,
      packed(placements.map(({ decision }) => JSON.stringify(decision.history[0]?.actor))),
    ],
  };
}
