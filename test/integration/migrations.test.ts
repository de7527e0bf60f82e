/** Migrations, one node at a time: finished ones are recorded, failed ones leave no trace, and a waiting node logs it. */
import { beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { migrate, type Migration, MigrationUnderWay, SchemaTooNew } from '../../mixins/database/migrations.ts';
import { migrations as ordersMigrations } from '../../services/orders/migrations/index.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { createDatabase, query } from '../support/postgres.ts';

const THINGS: Migration = { name: '0001-things', sql: 'CREATE TABLE shop.things (id bigint PRIMARY KEY)' };
const NAMES: Migration = { name: '0002-names', sql: 'ALTER TABLE shop.things ADD COLUMN name text' };

let url: string;
beforeEach(async () => {
  url = await createDatabase();
});

function open(schema = 'shop'): Database {
  const database = openDatabase(url, schema, 2);
  afterTheTest(() => database.close());
  return database;
}

const recorded = async (schema = 'shop'): Promise<string[]> =>
  (await query<{ name: string }>(url, `SELECT name FROM ${schema}.migrations ORDER BY name`)).map(({ name }) => name);

/** Holds the lock as a node does that migrates, until the test ends or `letGo`. */
async function otherNode(): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('waybill migrations of shop', 0))`);
  afterTheTest(() => client.end());
  return async () => {
    await client.query('COMMIT');
  };
}

test('migrations recorded in an existing table are not run again, only the rest is', async () => {
  // As released versions have left it.
  await query(
    url,
    `CREATE SCHEMA shop; CREATE TABLE shop.migrations (name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now());
     ${THINGS.sql}; INSERT INTO shop.migrations (name) VALUES ('0001-things')`,
  );
  expect(await migrate(open(), [THINGS, NAMES])).toEqual(['0002-names']);
  expect(await migrate(open(), [THINGS, NAMES])).toEqual([]);
  expect(await recorded()).toEqual(['0001-things', '0002-names']);
});

test('a failed migration leaves no trace, keeps the earlier ones, and is run again at the next start', async () => {
  const broken = { ...NAMES, sql: `${NAMES.sql}; SELECT 1 / 0` };
  await expect(migrate(open(), [THINGS, broken])).rejects.toThrow(/0002-names.*division by zero/s);
  expect(await recorded()).toEqual(['0001-things']);
  expect(await migrate(open(), [THINGS, NAMES])).toEqual(['0002-names']);
});

test('a schema of a newer version is not touched', async () => {
  await migrate(open(), [THINGS, NAMES]);
  await expect(migrate(open(), [THINGS])).rejects.toBeInstanceOf(SchemaTooNew);
});

test('a node waits while another one migrates, and logs it', async () => {
  const letGo = await otherNode();
  const said: string[] = [];
  const migrating = migrate(open(), [THINGS], { logger: { info: (line: string) => said.push(line) } });
  await eventually(() => expect(said).toEqual(['Waiting for another node to migrate the schema "shop"']));
  await letGo();
  expect(await migrating).toEqual(['0001-things']);
});

test('a node that has waited for too long ends its start', async () => {
  await otherNode();
  await expect(migrate(open(), [THINGS], { waitMs: 300 })).rejects.toBeInstanceOf(MigrationUnderWay);
});

test('orders older than the foreign keys keep their history, and no history exists without an order', async () => {
  const database = open('orders');
  await migrate(
    database,
    ordersMigrations.filter(({ name }) => name < '0005'),
  );
  const entry = `INSERT INTO orders.order_history (order_id, seq, event, to_status, at) VALUES ($1, 1, 'PLACE', 'PENDING_CHECK', now())`;
  await query(
    url,
    `INSERT INTO orders.orders (id, order_number, customer_id, delivery_address, carrier, product_ids, quantities, order_date,
       keyed, status, stock_state, shipment_state, machine_version, seq, version, deadline_at)
     VALUES (1, gen_random_uuid(), 1, 'there', 'DHL', '{1}', '{1}', now(), false, 'PENDING_CHECK', 'reserving', 'awaited', 1, 1, 1, now())`,
  );
  await query(url, entry, [1]);
  const references = ordersMigrations.filter(({ name }) => name < '0007');
  expect(await migrate(database, references)).toEqual(['0005-references', '0006-references-valid']);
  await expect(query(url, entry, [2])).rejects.toMatchObject({ code: '23503' });
});
