/** The hand-written answer as a contestant: its process, its generated orders, its books. */
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/free-port.ts';
import { type Program, startProgram } from '../../support/process/program.ts';
import { ROOT, startCommand } from '../../support/process/project.ts';
import { nothingInherited } from '../../support/process/waybill-process.ts';
import { type Books, Contestant, type Given, PRODUCTS, startReady, STOCK } from '../contestant.ts';
import { ServerCounters } from '../counters.ts';
import type { Ground } from '../ground.ts';
import type { ReadTraffic } from '../load/job.ts';
import { BASELINE_SCHEMA } from './schema.ts';

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));

export class BaselineContestant extends Contestant {
  readonly name = 'baseline';
  readonly #start: (poolSize: number) => Promise<Program>;

  private constructor(given: Given, start: (poolSize: number) => Promise<Program>) {
    super(given);
    this.#start = start;
  }

  static async start(ground: Ground, poolSize: number): Promise<BaselineContestant> {
    const database = await ground.createDatabase('baseline');
    const client = await ground.connect(database);
    await client.query(BASELINE_SCHEMA);
    await client.query(
      'INSERT INTO products SELECT i, (1 + i % 100)::numeric(12, 2), $1 FROM generate_series(1, $2::int) i',
      [STOCK, PRODUCTS],
    );
    await client.query('VACUUM ANALYZE');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const start = async (size: number): Promise<Program> => {
      // The flags that npm start gives to node: the contestants are to run alike.
      const args = [...startCommand().flags, SERVER, String(port), database, String(size)];
      const { child } = await startReady(ground, 'baseline', (options) => {
        const program = startProgram(process.execPath, args, { ...options, cwd: ROOT, env: nothingInherited() });
        return Promise.resolve({ ...program, url });
      });
      return child;
    };
    const processes = [await start(poolSize)];
    return new BaselineContestant({ urls: [url], processes, client, counters: await ServerCounters.of(client) }, start);
  }

  /** Restarts its process with at most this many connections to PostgreSQL. */
  async usePool(poolSize: number): Promise<void> {
    await this.stop();
    this.processes = [await this.#start(poolSize)];
  }

  orderReads(): ReadTraffic {
    return { kind: 'reads', path: '/api/v1/orders/*', first: 1, step: 1, count: this.tally.generated };
  }

  protected async generateLot(from: number, to: number, lot: { from: number; customers: number }): Promise<void> {
    await this.client.query(
      `WITH made AS (
         SELECT i, 1 + ($3::bigint / 50) + (i - $3) % $4 AS customer, 1 + (i * 7919) % ${PRODUCTS} AS first,
           1 + (i * 7919 + 1 + i % ${PRODUCTS - 1}) % ${PRODUCTS} AS second,
           '2026-01-01T00:01:00Z'::timestamptz + i * interval '1 ms' AS at, md5(i::text)::uuid AS number
         FROM generate_series($1::bigint, $2::bigint - 1) i
       ), placed AS (
         INSERT INTO orders SELECT i + 1, number, customer, 'Ada Lovelace', '12 St James Square, London', 'DHL',
           ARRAY[first, second], ARRAY[1, 2], ARRAY[1 + first % 100, 1 + second % 100],
           1 + first % 100 + 2 * (1 + second % 100), 'CONFIRMED', at, number, at + interval '3 days' FROM made
       ), shipped AS (
         INSERT INTO shipments SELECT i + 1, number, 'Ada Lovelace', '12 St James Square, London', 'DHL', 'CREATED',
           at + interval '3 days' FROM made
       )
       UPDATE products SET reserved = reserved + wanted.sum FROM (
         SELECT id, sum(quantity) FROM (SELECT first AS id, 1 AS quantity FROM made UNION ALL SELECT second, 2 FROM made)
           AS lines GROUP BY id
       ) AS wanted WHERE products.id = wanted.id`,
      [from, to, lot.from, lot.customers],
    );
  }

  /** An order is all there, or not at all. */
  async isAtRest(): Promise<boolean> {
    const { open } = await this.numbers<'open'>(
      `SELECT count(*) AS open FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND state <> 'idle' AND backend_type = 'client backend'`,
    );
    return open === 0;
  }

  async books(): Promise<Books> {
    const { confirmed, unshipped, unbalanced, extra } = await this.numbers<
      'confirmed' | 'unshipped' | 'unbalanced' | 'extra'
    >(
      `SELECT (SELECT count(*) FROM orders WHERE status = 'CONFIRMED') AS confirmed,
         (SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM shipments s WHERE s.order_id = o.id)) AS unshipped,
         (SELECT count(*) FROM shipments s WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = s.order_id)) AS extra,
         (SELECT count(*) FROM products p LEFT JOIN (
            SELECT product_id, sum(quantity) FROM orders, unnest(product_ids, quantities) AS l (product_id, quantity)
            GROUP BY product_id) AS wanted ON wanted.product_id = p.id
          WHERE p.reserved <> coalesce(wanted.sum, 0)) AS unbalanced`,
    );
    const faults: string[] = [];
    if (unshipped > 0) faults.push(`${unshipped} orders have no shipment`);
    if (extra > 0) faults.push(`${extra} shipments have no order`);
    if (unbalanced > 0) faults.push(`${unbalanced} products have not reserved what was ordered`);
    return { confirmed, faults };
  }
}
