/** Waybill as a contestant: started as `npm start` does, all services in one process, everything on. */
import { ID_EPOCH_MS } from '../../machines/shared/ids.ts';
import { ORDER_MACHINE_VERSION } from '../../machines/order/order.machine.ts';
import { SHIPMENT_MACHINE_VERSION } from '../../machines/shipment/shipment.machine.ts';
import type { Program } from '../support/process/program.ts';
import { spawnWaybillProcess } from '../support/process/waybill-process.ts';
import { type Books, Contestant, PRODUCTS, startReady, STOCK } from './contestant.ts';
import { ServerCounters } from './counters.ts';
import type { Ground } from './ground.ts';
import type { ReadTraffic } from './load/job.ts';

/** One generated order a millisecond, from a minute into the time in which there are ids. */
const PER_MS = 4_096;
const FIRST_GENERATED_MS = 60_000;

export interface WaybillOptions {
  /** What it is called in the figures. */
  name?: string;
  /** Processes that share the database, and meet over NATS when there is more than one. */
  nodes?: number;
  transporter?: string;
  /** Settings that are not the defaults. */
  set: Record<string, string>;
}

/** Starts a Waybill that ends with the ground, and waits until it is ready. */
export function startWaybill(ground: Ground, label: string, env: Record<string, string>) {
  return startReady(ground, label, (options) => spawnWaybillProcess({ nodeID: label, env, ...options }));
}

export class WaybillContestant extends Contestant {
  name = 'waybill';

  static async start(
    ground: Ground,
    { name = 'waybill', nodes = 1, transporter, set }: WaybillOptions,
  ): Promise<WaybillContestant> {
    const label = name.replaceAll(' ', '_');
    const database = await ground.createDatabase(label);
    const settings: Record<string, string> = { ...set, DATABASE_URL: database, DEMO_CATALOG: 'false' };
    if (transporter !== undefined) settings.TRANSPORTER = transporter;
    const urls: string[] = [];
    const processes: Program[] = [];
    for (let node = 1; node <= nodes; node++) {
      const { child } = await startWaybill(ground, nodes === 1 ? label : `${label}-${node}`, settings);
      processes.push(child);
      urls.push(child.url);
    }
    const client = await ground.connect(database);
    await client.query(
      `INSERT INTO inventory.products (id, sku, name, price, quantity)
       SELECT i, 'SKU-' || i, 'Product ' || i, (1 + i % 100)::numeric(12, 2), $1 FROM generate_series(1, $2::int) i`,
      [STOCK, PRODUCTS],
    );
    await client.query('VACUUM ANALYZE');
    const counters = await ServerCounters.of(client);
    const contestant = new WaybillContestant({ urls, processes, client, counters });
    contestant.name = name;
    return contestant;
  }

  orderReads(): ReadTraffic {
    const first = FIRST_GENERATED_MS * PER_MS;
    return { kind: 'reads', path: '/api/v1/orders/*', first, step: PER_MS, count: this.tally.generated };
  }

  /** Writes what a placed order has left when it is confirmed: its row, two entries of history, its stock, its shipment. */
  protected async generateLot(from: number, to: number, lot: { from: number; customers: number }): Promise<void> {
    await this.client.query(
      `WITH made AS (
         SELECT i, (${FIRST_GENERATED_MS} + i) * ${PER_MS} AS id, 1 + ($3::bigint / 50) + (i - $3) % $4 AS customer,
           1 + (i * 7919) % ${PRODUCTS} AS first, 1 + (i * 7919 + 1 + i % ${PRODUCTS - 1}) % ${PRODUCTS} AS second,
           lpad(to_hex(${ID_EPOCH_MS + FIRST_GENERATED_MS} + i), 12, '0') AS ms, md5(i::text) AS random,
           to_timestamp((${ID_EPOCH_MS + FIRST_GENERATED_MS} + i) / 1000.0) AS at
         FROM generate_series($1::bigint, $2::bigint - 1) i
       ), numbered AS (
         SELECT *, ARRAY[first, second] AS products, ARRAY[1, 2]::bigint[] AS quantities,
           ARRAY[1 + first % 100, 1 + second % 100]::numeric(12, 2)[] AS prices,
           (substr(ms, 1, 8) || '-' || substr(ms, 9) || '-7000-8' || substr(random, 1, 3) || '-' || substr(random, 4, 12))::uuid AS number,
           (substr(ms, 1, 8) || '-' || substr(ms, 9) || '-7000-9' || substr(random, 1, 3) || '-' || substr(random, 4, 12))::uuid AS tracking
         FROM made
       ), placed AS (
         INSERT INTO orders.orders (id, order_number, customer_id, customer_name, delivery_address, carrier, product_ids,
           quantities, prices_at_purchase, total_price, tracking_number, estimated_delivery, order_date, keyed, status,
           stock_state, shipment_state, machine_version, seq, version, deadline_at)
         SELECT id, number, customer, 'Ada Lovelace', '12 St James Square, London', 'DHL', products, quantities, prices,
           prices[1] + 2 * prices[2], 'TRK-' || tracking, at + interval '3 days', at, false, 'CONFIRMED', 'reserved',
           'created', ${ORDER_MACHINE_VERSION}, 2, 2, at + interval '30 minutes' FROM numbered
       ), told AS (
         INSERT INTO orders.order_history (order_id, seq, event, from_status, to_status, at, detail)
         SELECT id, 1, 'PLACE', NULL, 'PENDING_CHECK', at, NULL::jsonb FROM numbered UNION ALL
         SELECT id, 2, 'SECURED', 'PENDING_CHECK', 'CONFIRMED', at, jsonb_build_object('trackingNumber',
           'TRK-' || tracking, 'estimatedDelivery', at + interval '3 days') FROM numbered
       ), held AS (
         INSERT INTO inventory.reservations (order_id, status, product_ids, quantities, prices, unavailable)
         SELECT id, 'HELD', products, quantities, prices, '{}' FROM numbered
       ), shipped AS (
         INSERT INTO tracking.shipments (order_id, tracking_number, customer_name, delivery_address, carrier, status,
           machine_version, seq, estimated_delivery, created_at, updated_at, customer_id)
         SELECT id, tracking, 'Ada Lovelace', '12 St James Square, London', 'DHL', 'CREATED',
           ${SHIPMENT_MACHINE_VERSION}, 1, at + interval '3 days', at, at, customer FROM numbered
       )
       UPDATE inventory.products SET reserved_quantity = reserved_quantity + wanted.sum, revision = revision + 1 FROM (
         SELECT l.id, sum(quantity) FROM numbered, unnest(products, quantities) AS l (id, quantity) GROUP BY l.id
       ) AS wanted WHERE products.id = wanted.id`,
      [from, to, lot.from, lot.customers],
    );
  }

  async isAtRest(): Promise<boolean> {
    const { owed } = await this.numbers<'owed'>(
      `SELECT (SELECT count(*) FROM orders.orders WHERE due_at IS NOT NULL)
         + (SELECT count(*) FROM orders.outbox) + (SELECT count(*) FROM inventory.outbox)
         + (SELECT count(*) FROM tracking.outbox) AS owed`,
    );
    return owed === 0;
  }

  async books(): Promise<Books> {
    const { confirmed, ...wrong } = await this.numbers<
      'confirmed' | 'pending' | 'unshipped' | 'extra' | 'unbalanced' | 'untold'
    >(
      `SELECT (SELECT count(*) FROM orders.orders WHERE status = 'CONFIRMED') AS confirmed,
         (SELECT count(*) FROM orders.orders
           WHERE status = 'PENDING_CHECK' OR due_at IS NOT NULL OR parked_at IS NOT NULL) AS pending,
         (SELECT count(*) FROM orders.orders o WHERE status = 'CONFIRMED' AND NOT EXISTS (
            SELECT FROM tracking.shipments s WHERE s.order_id = o.id AND s.status = 'CREATED')) AS unshipped,
         (SELECT count(*) FROM tracking.shipments s WHERE status <> 'VOIDED' AND NOT EXISTS (
            SELECT FROM orders.orders o WHERE o.id = s.order_id AND o.status = 'CONFIRMED')) AS extra,
         (SELECT count(*) FROM inventory.products p LEFT JOIN (
            SELECT product_id, sum(quantity) FROM orders.orders, unnest(product_ids, quantities) AS l (product_id, quantity)
             WHERE status = 'CONFIRMED' GROUP BY product_id) AS wanted ON wanted.product_id = p.id
          WHERE p.reserved_quantity <> coalesce(wanted.sum, 0)) AS unbalanced,
         (SELECT count(*) FROM orders.order_history) - (SELECT coalesce(sum(seq), 0) FROM orders.orders) AS untold`,
    );
    const says: Record<keyof typeof wrong, string> = {
      pending: 'orders are not at rest',
      unshipped: 'confirmed orders have no shipment',
      extra: 'shipments have no confirmed order',
      unbalanced: 'products have not reserved what was ordered',
      untold: 'entries of history too many',
    };
    const names = Object.keys(says) as (keyof typeof wrong)[];
    return {
      confirmed,
      faults: names.filter((name) => wrong[name] !== 0).map((name) => `${wrong[name]} ${says[name]}`),
    };
  }
}
