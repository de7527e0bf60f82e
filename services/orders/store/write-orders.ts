/** Writes a batch of new orders and changes in one commit and one round trip. */
import type pg from 'pg';
import { idsIn } from '../../../mixins/database/batch-values.ts';
import type { Database } from '../../../mixins/database/database.ts';
import type { Statement } from '../../../mixins/database/trips.ts';
import { insertStatement } from './insert-orders.ts';
import {
  isPlacement,
  type LeaseTerms,
  type OrderChange,
  type OrderMemory,
  type OrderWrite,
  type Placement,
  type Written,
} from './order.port.ts';
import { saveStatement } from './save-orders.ts';

type Ids = pg.QueryResult<{ ids: string }>;

/** Writes a batch. A conflict affects only its own write; all others are committed together. */
export async function writeOrders(
  database: Database,
  writes: readonly OrderWrite[],
  terms: LeaseTerms,
): Promise<Written[]> {
  const placements: Placement[] = [];
  const changes: OrderChange[] = [];
  for (const write of writes) {
    if (isPlacement(write)) placements.push(write);
    else changes.push(write);
  }
  const save = changes.length > 0 ? saveStatement(changes, terms) : undefined;
  const insert = placements.length > 0 ? insertStatement(placements, terms) : undefined;
  const written = new Set<number>();
  for (const { rows } of await run(
    database,
    [insert, save?.statement].filter((statement) => statement !== undefined),
  )) {
    for (const { ids } of rows) for (const id of idsIn(ids)) written.add(id);
  }
  let change = 0;
  return writes.map((write) => {
    const memory = isPlacement(write) ? placed(write, terms) : (save?.next[change++] as OrderMemory);
    return written.has(memory.id) ? memory : undefined;
  });
}

function placed({ decision: { order } }: Placement, terms: LeaseTerms): OrderMemory {
  return { id: order.id, state: order, version: 1, work: { owner: terms.node, attempt: 0, lastError: null } };
}

async function run(database: Database, statements: readonly Statement[]): Promise<Ids[]> {
  const [only, ...others] = statements;
  if (only === undefined) return [];
  if (others.length === 0) return [await database.query(only)];
  return database.trips((trips) => trips.whole(...statements));
}
