/** The two stores of orders, each with what their contract tests need beside its port. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import type { Database } from '../../mixins/database/database.ts';
import type { OrderPort } from '../../services/orders/store/order.port.ts';
import { OrderStore } from '../../services/orders/store/order.store.ts';
import { OrderTables } from './order-tables.ts';
import { TwinOrderStore } from './twin-order-store.ts';

export const LEASE_MS = 60_000;
export const TTL_MS = 600_000;

/** A store with what a test needs besides its port: more nodes, advancing time, and access to what was written. */
export interface Subject {
  node(name: string): OrderPort;
  pass(ms: number): Promise<void>;
  events(orderId: number): Promise<DomainEvent[]>;
  seqs(orderId: number): Promise<number[]>;
  /** Makes the row one of a newer machine. */
  age(orderId: number): Promise<void>;
}

/** The real one, on a migrated database. */
export function inPostgres(database: Database): Subject {
  return {
    node: (node) =>
      new OrderStore(
        database,
        { node, leaseMs: LEASE_MS, ttlMs: TTL_MS },
        { wrote: () => undefined, unfit: () => undefined },
      ),
    pass: async (ms) => {
      await database.query(
        `UPDATE orders.orders SET due_at = due_at - $1 * interval '1 ms', deadline_at = deadline_at - $1 * interval '1 ms'`,
        [ms],
      );
    },
    events: async (orderId) => {
      const { rows } = await database.query<{ event: DomainEvent }>(
        `SELECT event FROM orders.outbox, json_array_elements(events) WITH ORDINALITY AS e (event, i)
        WHERE event ->> 'key' = $1 ORDER BY id, i`,
        [`order-${orderId}`],
      );
      return rows.map(({ event }) => event);
    },
    seqs: async (orderId) => {
      const { rows } = await database.query<{ seq: number }>(
        'SELECT seq FROM orders.order_history WHERE order_id = $1 ORDER BY seq',
        [orderId],
      );
      return rows.map(({ seq }) => seq);
    },
    age: async (orderId) => {
      await database.query('UPDATE orders.orders SET machine_version = 99 WHERE id = $1', [orderId]);
    },
  };
}

/** The simulator's. */
export function inMemory(): Subject {
  let now = Date.UTC(2026, 5, 1);
  const tables = new OrderTables(() => now);
  return {
    node: (node) => new TwinOrderStore(tables, { node, leaseMs: LEASE_MS, ttlMs: TTL_MS }),
    pass: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    events: (orderId) => Promise.resolve(tables.outbox.filter(({ key }) => key === `order-${orderId}`)),
    seqs: (orderId) => Promise.resolve((tables.history.get(orderId) ?? []).map(({ seq }) => seq)),
    age: (orderId) => {
      Object.assign(tables.rows.get(orderId) as object, { machineVersion: 99 });
      return Promise.resolve();
    },
  };
}
