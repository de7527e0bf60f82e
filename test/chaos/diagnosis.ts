/** The database rows behind violations: evidence for finding the cause, not part of any check. */
import pg from 'pg';
import type { Violation } from './checker/promise.ts';
import { type Mesh, STATEFUL, type Stateful } from './mesh.ts';

const ORDERS_SHOWN = 5;

const ROWS: Record<Stateful, readonly string[]> = {
  orders: [
    'SELECT * FROM orders.orders WHERE id = ANY($1::bigint[])',
    'SELECT * FROM orders.order_history WHERE order_id = ANY($1::bigint[]) ORDER BY order_id, seq',
  ],
  inventory: ['SELECT * FROM inventory.reservations WHERE order_id = ANY($1::bigint[])'],
  tracking: ['SELECT * FROM tracking.shipments WHERE order_id = ANY($1::bigint[])'],
};

/** What every service has of the first orders that something is wrong with, and what waits in the outboxes. */
export async function diagnose(mesh: Mesh, violations: readonly Violation[]): Promise<string> {
  const ids = [...new Set(violations.flatMap(({ orderId }) => (orderId === undefined ? [] : [orderId])))];
  const lines: string[] = [];
  for (const service of STATEFUL) {
    const client = new pg.Client({ connectionString: mesh.postgres(service).url, query_timeout: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      for (const sql of ROWS[service]) {
        const { rows } = await client.query<object>(sql, [ids.slice(0, ORDERS_SHOWN)]);
        for (const row of rows) lines.push(`${service} ${JSON.stringify(row)}`);
      }
      const waiting = await client.query<object>(`SELECT count(*)::int AS waiting FROM ${service}.outbox`);
      lines.push(`${service} outbox ${JSON.stringify(waiting.rows[0])}`);
      const sessions = await client.query<object>(
        `SELECT pid, state, wait_event, now() - xact_start AS since, left(query, 80) AS query FROM pg_stat_activity
          WHERE state LIKE 'idle in transaction%' OR wait_event_type = 'Lock'`,
      );
      for (const row of sessions.rows) lines.push(`${service} session ${JSON.stringify(row)}`);
    } catch (error) {
      lines.push(`${service}: ${(error as Error).message}`);
    } finally {
      client.end().catch(() => undefined);
    }
  }
  return `\n${lines.join('\n')}\n`;
}
