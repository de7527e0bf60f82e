/** Versioned, forward-only migrations by umzug: each in a transaction that holds a lock, so that many nodes may start at once. */
import type { Logger } from 'moleculer';
import type { Transaction } from 'sequelize';
import { Umzug, type UmzugStorage } from 'umzug';
import type { Database } from './database.ts';
import { isLockTimeout } from './sql-failure.ts';
import { DeclaredModel, key, made, text, time } from './model.ts';

/** One step of a service's schema. Once released it never changes; a mistake is mended by the next one. */
export interface Migration {
  /** Sorts after all earlier ones: `0001-orders`. */
  name: string;
  /** The statements, run in one transaction together with the note that they were run. */
  sql: string;
}

/** The schema was made by newer code than this. */
export class SchemaTooNew extends Error {}

/** Another node has been migrating for longer than this one waits. */
export class MigrationUnderWay extends Error {}

export interface MigrateOptions {
  /** Told when other nodes are waited for. */
  logger?: Pick<Logger, 'info'>;
  /** How long they are waited for. */
  waitMs?: number;
}

const WAIT_MS = 60_000;
/** How long it waits before it says so. */
const SAY_AFTER_MS = 2_000;

/** The migrations that were run on a schema. */
export const migrationModel = (schema: string) =>
  new DeclaredModel(schema, 'migrations', { name: key(text()), runAt: made(time()) });

/**
 * Brings the service's schema up to this code's version. Returns the names of the migrations it ran: none when
 * another node was faster.
 * @throws SchemaTooNew when the database knows a migration that this code does not: an old node must not write there.
 * @throws MigrationUnderWay when another node has held the lock for as long as this one waits.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<string[]> {
  const ran: string[] = [];
  for (;;) {
    // A transaction for each, which takes the lock and looks anew: it also holds behind a pooler, where sessions are shared.
    const name = await database.unhurried((transaction) => runNext(database, migrations, transaction, options));
    if (name === undefined) return ran;
    ran.push(name);
  }
}

async function runNext(
  database: Database,
  migrations: readonly Migration[],
  transaction: Transaction,
  options: MigrateOptions,
): Promise<string | undefined> {
  const { schema, sequelize } = database;
  await lock(database, transaction, options);
  await sequelize.query(
    `CREATE SCHEMA IF NOT EXISTS ${schema};
     CREATE TABLE IF NOT EXISTS ${schema}.migrations (name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now())`,
    { transaction },
  );
  const storage = new MigrationsTable(database);
  const umzug = new Umzug<Transaction>({
    migrations: migrations.map(({ name, sql }) => ({
      name,
      up: async () => {
        await sequelize.query(sql, { transaction });
      },
    })),
    context: transaction,
    storage,
    logger: undefined,
  });
  const known = new Set(migrations.map(({ name }) => name));
  const newer = (await storage.executed({ context: transaction })).filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw new SchemaTooNew(
      `the database schema "${schema}" was made by a newer version (${newer.join(', ')}): start that version, or a newer one`,
    );
  }
  return (await umzug.up({ step: 1 }))[0]?.name;
}

/** Waits for the other nodes that migrate this schema. The lock ends with the transaction, whatever happens. */
async function lock(
  { schema, sequelize }: Database,
  transaction: Transaction,
  { logger, waitMs = WAIT_MS }: MigrateOptions,
): Promise<void> {
  const speaking = setTimeout(
    () => logger?.info(`Schema "${schema}" is being migrated by another node: waiting`),
    SAY_AFTER_MS,
  );
  try {
    await sequelize.query(
      `SET LOCAL lock_timeout = ${waitMs};
       SELECT pg_advisory_xact_lock(hashtextextended('waybill migrations of ${schema}', 0));
       SET LOCAL lock_timeout TO DEFAULT`,
      { transaction },
    );
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new MigrationUnderWay(
      `another node has been migrating the database schema "${schema}" for ${waitMs / 1_000} s: start again when it is done`,
      { cause: error },
    );
  } finally {
    clearTimeout(speaking);
  }
}

/** umzug's storage in the schema's own table, written by the migration's own transaction, which umzug knows as its context. */
class MigrationsTable implements UmzugStorage<Transaction> {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async executed({ context: transaction }: { context: Transaction }): Promise<string[]> {
    const rows = await this.#model.findAll({ order: ['name'], raw: true, transaction });
    return (rows as unknown as { name: string }[]).map(({ name }) => name);
  }

  async logMigration({ name, context: transaction }: { name: string; context: Transaction }): Promise<void> {
    await this.#model.create({ name }, { transaction });
  }

  async unlogMigration({ name, context: transaction }: { name: string; context: Transaction }): Promise<void> {
    await this.#model.destroy({ where: { name }, transaction });
  }

  get #model() {
    return this.#database.model(migrationModel(this.#database.schema));
  }
}
