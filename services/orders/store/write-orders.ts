/** One batch of writes to orders, new ones and changes of old ones together, in one commit and one round trip. */
import type pg from 'pg';
import { idsIn } from '../../../mixins/database/columns.ts';
import { oneTrip } from '../../../mixins/database/one-trip.ts';
import { insertStatement, type Lease, type Placement } from './insert-orders.ts';
import type { OrderMemory } from './order.row.ts';
import { type OrderChange, saveStatement } from './save-orders.ts';

/** A new order, or a change of one. */
export type OrderWrite = { readonly placement: Placement } | { readonly change: OrderChange };

/**
 * What became of a write: the order as it was written; undefined when something stood against it, an earlier order
 * or key for a placement, a newer version for a change.
 */
export type Written = OrderMemory | undefined;

type Ids = pg.QueryResult<{ ids: string }>;

/** Writes a batch. Each write stands or falls by itself; all that stand are committed together. */
export async function writeOrders(pool: pg.Pool, writes: readonly OrderWrite[], lease: Lease): Promise<Written[]> {
  const placements = writes.flatMap((write) => ('placement' in write ? [write.placement] : []));
  const changes = writes.flatMap((write) => ('change' in write ? [write.change] : []));
  const save = changes.length > 0 ? saveStatement(changes, lease) : undefined;
  const insert = placements.length > 0 ? insertStatement(placements, lease) : undefined;
  const written = new Set<number>();
  for (const { rows } of await run(
    pool,
    [insert, save?.statement].filter((statement) => statement !== undefined),
  )) {
    for (const { ids } of rows) for (const id of idsIn(ids)) written.add(id);
  }
  let change = 0;
  return writes.map((write) => {
    const memory = 'placement' in write ? placed(write.placement, lease) : (save?.next[change++] as OrderMemory);
    return written.has(memory.id) ? memory : undefined;
  });
}

function placed({ decision: { order } }: Placement, lease: Lease): OrderMemory {
  return { id: order.id, state: order, version: 1, work: { owner: lease.node, attempt: 0, lastError: null } };
}

async function run(pool: pg.Pool, statements: readonly pg.QueryConfig[]): Promise<Ids[]> {
  const [only, ...others] = statements;
  if (only === undefined) return [];
  if (others.length === 0) return [await pool.query(only)];
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    const results = await oneTrip(client, () => [
      client.query('BEGIN'),
      ...statements.map((statement) => client.query<{ ids: string }>(statement)),
      client.query('COMMIT'),
    ]);
    return results.slice(1, -1) as Ids[];
  } catch (error) {
    // The transaction may be open, or the connection half dead: neither is worth mending.
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}
