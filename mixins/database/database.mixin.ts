/** Gives a service its database: opened and migrated before the service starts, closed after it has stopped. */
import type { ServiceSchema } from 'moleculer';
import { defineMixin } from '../mesh/schema.ts';
import { settingsOf } from '../settings/settings.ts';
import { type Database, openDatabase } from './database.ts';
import { embeddedUrl } from './embedded/url.ts';
import { DatabaseAbsent } from './database-absent.ts';
import { type Migration, migrate } from './migrations.ts';
import { isOutage, orUnavailable } from './sql-failure.ts';

/** What a service gains: `this.database`, usable from its `started` to the end of its `stopped`. */
export interface WithDatabase {
  database: Database;
}

/** The mixin for the service that owns `schema`. The address comes from the settings, or is the embedded database. */
export function databaseMixin(schema: string, migrations: readonly Migration[]): Partial<ServiceSchema> {
  return defineMixin<WithDatabase>({
    actions: {
      /** Answers true when this service's database answers and takes writes; fails otherwise. Asked by `/health/ready`. */
      ready: {
        visibility: 'public',
        access: [],
        async handler() {
          await orUnavailable(this.database.demandWritable());
          return true;
        },
      },
    },
    async started() {
      const settings = settingsOf(this.broker);
      const url = settings.databaseUrl(schema) ?? embeddedUrl(settings.dataDir);
      this.database = openDatabase(url, schema, settings.databasePoolSize, {
        maxAgeMs: settings.databaseConnectionMaxAgeMs,
        logger: this.logger,
      });
      const ran = await migrate(this.database, migrations, { logger: this.logger }).catch((error: unknown) => {
        throw isOutage(error) ? new DatabaseAbsent([schema], url, error) : error;
      });
      if (ran.length > 0) this.logger.info(`Schema "${schema}" brought up to date: ${ran.join(', ')}`);
    },
    async stopped() {
      await this.database?.close();
    },
  });
}
