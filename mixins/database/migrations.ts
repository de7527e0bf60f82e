/** Versioned, forward-only migrations with umzug: each in a transaction under a lock, so that many nodes can start at once. */
import type { Logger } from 'moleculer';
import type { Transaction } from 'sequelize';
import { Umzug, type UmzugStorage } from 'umzug';
import type { Database } from './database.ts';
import { isLockTimeout } from './sql-failure.ts';
import { DeclaredModel, key, made, text, time } from './model.ts';

/** One migration of a service's schema. Once released it never changes; a mistake is corrected by a later one. */
export interface Migration {
  /** Sorts after all earlier ones: `0001-orders`. */
  name: string;
  /** The statements, run in one transaction together with the record that they were run. */
  sql: string;
}

/** The schema was migrated by a newer version of the code. */
export class SchemaTooNew extends Error {}

/** Another node holds the migration lock for longer than this one waits. */
export class MigrationUnderWay extends Error {}

export interface MigrateOptions {
  /** Logs that this node waits for another one. */
  logger?: Pick<Logger, 'info'>;
  /** How long to wait for another node. */
  waitMs?: number;
}

const WAIT_MS = 60_000;
/** How long it waits before it logs that it waits. */
const SAY_AFTER_MS = 2_000;

/** The table of the migrations that were run on a schema. */
export const migrationModel = (schema: string) =>
  new DeclaredModel(schema, 'migrations', { name: key(text()), runAt: made(time()) });

/**
 * Migrates the service's schema to this version of the code. Returns the names of the migrations it ran: none when
 * another node was faster.
 * @throws SchemaTooNew when the database has a migration unknown to this code: an old node must not write there
 * @throws MigrationUnderWay when another node holds the lock for longer than this one waits
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<string[]> {
  const ran: string[] = [];
  for (;;) {
    // One transaction per migration takes the lock and checks again. This also works behind a pooler that shares sessions.
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
      `the database schema "${schema}" was migrated by a newer version (${newer.join(', ')}): start that version or a later one`,
    );
  }
  return (await umzug.up({ step: 1 }))[0]?.name;
}

/** Waits for other nodes that migrate this schema. The lock ends with the transaction, whatever happens. */
async function lock(
  { schema, sequelize }: Database,
  transaction: Transaction,
  { logger, waitMs = WAIT_MS }: MigrateOptions,
): Promise<void> {
  const speaking = setTimeout(
    () => logger?.info(`Waiting for another node to migrate the schema "${schema}"`),
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
      `another node is still migrating the database schema "${schema}" after ${waitMs / 1_000} s: start again when it has finished`,
      { cause: error },
    );
  } finally {
    clearTimeout(speaking);
  }
}

/** umzug's storage: a table in the service's schema, written in the migration's transaction, which is umzug's context. */
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
