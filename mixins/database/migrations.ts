/** Versioned, forward-only migrations: umzug's order and log, under an advisory lock so that many nodes may start at once. */
import type pg from 'pg';
import { Umzug } from 'umzug';
import type { Database } from './database.ts';

/** One step of a service's schema. Once released it never changes; a mistake is mended by the next one. */
export interface Migration {
  /** Sorts after all earlier ones: `0001-orders`. */
  name: string;
  /** The statements, run in one transaction together with the note that they were run. */
  sql: string;
}

/** The schema was made by newer code than this. */
export class SchemaTooNew extends Error {}

/**
 * Brings the service's schema up to this code's version. Returns the names of the migrations it ran: none when
 * another node was faster.
 * @throws SchemaTooNew when the database knows a migration that this code does not: an old node must not write there.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  // Waiting for a slower node may take longer than any statement of a request should.
  const client = await database.connectAlone();
  const lockKey = `waybill migrations of ${database.schema}`;
  try {
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [lockKey]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${database.schema}`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${database.schema}.migrations (name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now())`,
    );
    return await runPending(client, database.schema, migrations);
  } finally {
    // The lock belongs to the session, which ends here, whatever happened.
    await client.end();
  }
}

async function runPending(client: pg.Client, schema: string, migrations: readonly Migration[]): Promise<string[]> {
  const executed = async (): Promise<string[]> => {
    const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${schema}.migrations ORDER BY name`);
    return rows.map((row) => row.name);
  };
  const known = new Set(migrations.map((migration) => migration.name));
  const newer = (await executed()).filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw new SchemaTooNew(
      `the database schema "${schema}" was made by a newer version (${newer.join(', ')}): start that version, or a newer one`,
    );
  }
  const umzug = new Umzug({
    migrations: migrations.map(({ name, sql }) => ({
      name,
      up: async () => {
        await client.query('BEGIN');
        try {
          await client.query(sql);
          await client.query(`INSERT INTO ${schema}.migrations (name) VALUES ($1)`, [name]);
          await client.query('COMMIT');
        } catch (error) {
          await client.query('ROLLBACK');
          throw error;
        }
      },
    })),
    // The row is written by the migration's own transaction.
    storage: { executed, logMigration: () => Promise.resolve(), unlogMigration: () => Promise.resolve() },
    logger: undefined,
  });
  return (await umzug.up()).map((migration) => migration.name);
}
