/** Two inventory nodes in this process on one real PostgreSQL, and what a test asks of them. */
import { afterEach, beforeAll, expect } from '@jest/globals';
import type { ServiceBroker } from 'moleculer';
import pg from 'pg';
import type { NewProduct, StockItem, Product, StockReply } from '../../services/inventory/inventory.types.ts';
import inventory from '../../services/inventory/inventory.service.ts';
import { createDatabase } from './postgres.ts';
import { programBroker } from './broker.ts';
import { afterTheFile } from './endings.ts';

export let sql: pg.Pool;
export let one: ServiceBroker;
export let two: ServiceBroker;
let lastId = 0;
export const nextId = (): number => ++lastId;

export async function startNode(nodeID: string, url: string, demoCatalog = 'false'): Promise<ServiceBroker> {
  const broker = programBroker(
    { NODEID: nodeID, DATABASE_URL: url, DEMO_CATALOG: demoCatalog },
    // Connections are cut here by the dozen; what a breaker makes of that is another test's.
    { circuitBreaker: { enabled: false } },
  );
  broker.createService(inventory);
  await broker.start();
  return broker;
}

/** Starts two nodes on one database before a file's tests, and balances the books after each. */
export function useStockNodes(): void {
  beforeAll(async () => {
    const url = await createDatabase();
    sql = new pg.Pool({ connectionString: url });
    sql.on('error', () => undefined);
    afterTheFile(() => sql.end());
    [one, two] = await Promise.all([startNode('one', url), startNode('two', url)]);
    // The relay deletes what it has published, so the events are copied as they are written.
    await sql.query(`
      CREATE SCHEMA told;
      CREATE TABLE told.events (id bigint, events json);
      CREATE FUNCTION told.copy() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO told.events VALUES (new.id, new.events); RETURN new; END';
      CREATE TRIGGER copy AFTER INSERT ON inventory.outbox FOR EACH ROW EXECUTE FUNCTION told.copy()`);
  });
  afterEach(async () => {
    // Whatever a test did, the books balance.
    const { rows } = await sql.query(`
      SELECT p.id, p.reserved_quantity, coalesce(sum(l.quantity) FILTER (WHERE l.status = 'HELD'), 0) AS held
        FROM inventory.products p LEFT JOIN inventory.reservation_lines l ON l.product_id = p.id
       GROUP BY p.id HAVING p.reserved_quantity <> coalesce(sum(l.quantity) FILTER (WHERE l.status = 'HELD'), 0)`);
    expect(rows).toEqual([]);
  });
}

export type StockAction = 'reserve' | 'release' | 'consume';

export function ask(action: StockAction, orderId: number, items: StockItem[], broker = one): Promise<StockReply> {
  return broker.call(`inventory.${action}`, { orderId, items });
}

export function createProduct(given: Partial<NewProduct> = {}): Promise<Product> {
  return one.call('inventory.create', {
    sku: `SKU-${nextId()}`,
    name: 'Teapot',
    price: 19.9,
    initialStock: 10,
    ...given,
  });
}

export function product(id: number): Promise<Product> {
  return one.call('inventory.get', { id });
}

/** The type, status and data of the error a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<{ type: string; code: number; data: unknown }> {
  try {
    await call;
  } catch (error) {
    return error as { type: string; code: number; data: unknown };
  }
  throw new Error('the call succeeded');
}

/** The faults of a refused call: its fields and what is wrong with each. */
export async function faultsOf(action: string, params: unknown): Promise<string[]> {
  const { data } = await failureOf(one.call(`inventory.${action}`, params as object));
  const { details } = data as { details: { field: string; type: string }[] };
  return details.map(({ field, type }) => `${field}: ${type}`).toSorted();
}
