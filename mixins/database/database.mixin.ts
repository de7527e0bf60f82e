/** Gives a service its database: opens and migrates it before the service starts, closes it after the service has stopped. */
import type { ServiceBroker, ServiceSchema } from 'moleculer';
import { defineMixin } from '../mesh/schema.ts';
import { CLOCK_OFFSET_SECONDS } from '../metrics/metric-names.ts';
import { settingsOf } from '../settings/settings.ts';
import { type Database, openDatabase } from './database.ts';
import { embeddedUrl } from './embedded/url.ts';
import { DatabaseAbsent } from './database-absent.ts';
import { type Migration, migrate } from './migrations.ts';
import { isOutage, orUnavailable } from './sql-failure.ts';

/** What the mixin adds to a service: `this.database`, usable from its `started` to the end of its `stopped`. */
export interface WithDatabase {
  database: Database;
}

/** The mixin for the service that owns `schema`. Uses the address in the settings, or else the embedded database. */
export function databaseMixin(schema: string, migrations: readonly Migration[]): Partial<ServiceSchema> {
  return defineMixin<WithDatabase>({
    actions: {
      /** Returns true if this service's database accepts writes, and fails otherwise. Called by `/health/ready`. */
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
      if (ran.length > 0) this.logger.info(`Schema "${schema}" migrated: ${ran.join(', ')}`);
      await this.database.clock.watch({
        of: `the database of ${schema}`,
        logger: this.logger,
        onSample: ({ aheadMs }) => showClock(this.broker, schema, aheadMs),
      });
    },
    async stopped() {
      await this.database?.close();
    },
  });
}

/** Updates the gauge of a database's clock offset. */
function showClock({ metrics }: ServiceBroker, schema: string, aheadMs: number): void {
  if (!metrics.hasMetric(CLOCK_OFFSET_SECONDS)) {
    const description = 'Seconds that the clock of this machine is ahead of the database';
    metrics.register({ type: 'gauge', name: CLOCK_OFFSET_SECONDS, description, labelNames: ['schema'] });
  }
  metrics.set(CLOCK_OFFSET_SECONDS, aheadMs / 1_000, { schema });
}
