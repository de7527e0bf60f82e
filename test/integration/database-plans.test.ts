/** Plans of prepared statements: one made while its table was empty must not be kept as the table grows. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { eventually } from '../support/eventually.ts';
import { createDatabase, query } from '../support/postgres.ts';

const ROWS = 50_000;
const UPDATE = {
  name: 'move',
  text: 'UPDATE plans.things t SET n = i.n FROM unnest($1::bigint[], $2::int[]) AS i (id, n) WHERE t.id = i.id',
  values: [[7], [1]],
};

interface PlanNode {
  'Actual Rows': number;
  Plans?: PlanNode[];
}

let url: string;
let database: Database;
beforeAll(async () => {
  url = await createDatabase();
  await query(url, 'CREATE SCHEMA plans; CREATE TABLE plans.things (id bigint PRIMARY KEY, n int)');
  // As autovacuum would leave it: now PostgreSQL knows that it is empty.
  await query(url, 'VACUUM ANALYZE plans.things');
  database = openDatabase(url, 'plans', 1);
});
afterAll(() => database.close());

/** The most rows that one node of the plan brings up when the prepared statement runs. */
async function rowsRead(on: { query(sql: string): Promise<pg.QueryResult> }): Promise<number> {
  const { rows } = await on.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE move ('{7}', '{1}')`);
  const most = (node: PlanNode): number => Math.max(node['Actual Rows'], ...(node.Plans ?? []).map(most));
  return most(rows[0]['QUERY PLAN'][0].Plan);
}

test('a statement first used on an empty table finds its rows by key soon after the table has grown', async () => {
  const kept = new pg.Client({ connectionString: url });
  await kept.connect();
  try {
    await kept.query('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan');
    await kept.query(UPDATE);
    await database.query(UPDATE);
    await query(url, `INSERT INTO plans.things SELECT n, 0 FROM generate_series(1, ${ROWS}) n`);
    // The danger is real: a connection that keeps its plan reads the whole table.
    expect(await rowsRead(kept)).toBe(ROWS);
    await eventually(async () => expect(await rowsRead(database)).toBe(1));
  } finally {
    await kept.end();
  }
});
