/** The statement that writes new orders: rows, history, events and idempotency keys, all in one commit. */
import type pg from 'pg';
import { INITIAL_STATE } from '../../../machines/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order.machine.ts';
import type { Decision } from '../../../machines/order.ts';

/** A placed order on its way to the database. */
export interface Placement {
  readonly decision: Decision;
  /** Who placed it: idempotency keys are per caller. */
  readonly caller: string;
  readonly key: string | null;
  /** The body, as 128 bits. */
  readonly fingerprint: string;
}

// A key that exists keeps its order out; so does the same body from the same customer that is still PENDING_CHECK.
const INSERT = {
  name: 'orders.insert',
  text: `
WITH input AS (
  SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::float8[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[])
  AS i (id, order_number, customer_id, customer_name, delivery_address, carrier, product_ids, quantities,
    placed_ms, fingerprint, caller, key, request_id, events)
), keys AS (
  INSERT INTO orders.idempotency_keys (caller, key, fingerprint, order_id)
  SELECT caller, key, fingerprint, id FROM input WHERE key IS NOT NULL
  ON CONFLICT DO NOTHING RETURNING order_id
), placed AS (
  INSERT INTO orders.orders (id, order_number, customer_id, customer_name, delivery_address, carrier, product_ids, quantities,
    order_date, request_id, keyed, fingerprint, status, stock_state, shipment_state, machine_version, seq, version,
    owner, due_at, waiting_since, deadline_at)
  SELECT id, order_number, customer_id, customer_name, delivery_address, carrier, product_ids::bigint[], quantities::bigint[],
    to_timestamp(placed_ms / 1000), request_id, key IS NOT NULL, CASE WHEN key IS NULL THEN fingerprint END,
    $15, $16, $17, $18, 1, 1, $19, now() + $20 * interval '1 ms', now(), now() + $21 * interval '1 ms'
  FROM input WHERE key IS NULL OR id IN (SELECT order_id FROM keys)
  ON CONFLICT DO NOTHING RETURNING id
), logged AS (
  INSERT INTO orders.order_history (order_id, seq, event, to_status, at)
  SELECT id, 1, 'PLACE', $15, to_timestamp(placed_ms / 1000) FROM input JOIN placed USING (id)
), told AS (
  INSERT INTO orders.outbox (events)
  SELECT ('[' || string_agg(events, ',') || ']')::json FROM input JOIN placed USING (id) HAVING count(*) > 0
)
SELECT id FROM placed`,
};

const COLUMNS = 14;

const array = (values: readonly number[]): string => `{${values.join(',')}}`;

/** Writes the placements that nothing stands against. Answers, for each, whether it was written. */
export async function insertOrders(
  pool: pg.Pool,
  placements: readonly Placement[],
  lease: { node: string; leaseMs: number; ttlMs: number },
): Promise<boolean[]> {
  const columns: unknown[][] = Array.from({ length: COLUMNS }, () => []);
  for (const { decision, caller, key, fingerprint } of placements) {
    const { order } = decision;
    const row = [
      order.id,
      order.uuid,
      order.customerId,
      order.customerName,
      order.deliveryAddress,
      order.carrier,
      array(order.lines.map((line) => line.productId)),
      array(order.lines.map((line) => line.quantity)),
      order.placedAt,
      fingerprint,
      caller,
      key,
      order.requestId,
      decision.announcements.map((event) => JSON.stringify(event)).join(','),
    ];
    for (let i = 0; i < COLUMNS; i++) (columns[i] as unknown[]).push(row[i]);
  }
  const { order, stock, shipment } = INITIAL_STATE.value;
  const { rows } = await pool.query<{ id: number }>({
    ...INSERT,
    values: [...columns, order, stock, shipment, ORDER_MACHINE_VERSION, lease.node, lease.leaseMs, lease.ttlMs],
  });
  const written = new Set(rows.map((row) => row.id));
  return placements.map(({ decision }) => written.has(decision.order.id));
}
