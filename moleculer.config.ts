/** The configuration of moleculer-runner: runs the preflight checks, starts the embedded database if needed, then the broker. */
import type { BrokerOptions } from 'moleculer';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './mixins/database/embedded/embedded-postgres.ts';
import { brokerOptions } from './mixins/mesh/broker-options.ts';
import { lifecycleMiddleware } from './mixins/process/lifecycle.middleware.ts';
import { MetricsPort } from './mixins/process/metrics-port.ts';
import { needsEmbeddedDatabase, preflight } from './mixins/process/preflight.ts';
import { refuseStart } from './mixins/process/refusal.ts';
import { takeEnvironment } from './mixins/settings/settings.ts';
import { greet } from './services/api/greeting.ts';
import { readSettings } from './services/settings.ts';

/** The part of moleculer-runner that holds the service files to load. */
interface Runner {
  servicePaths: string[];
}

/** Called by moleculer-runner. When it cannot start, prints one line and exits with code 1. */
async function configure(this: Runner): Promise<BrokerOptions> {
  try {
    takeEnvironment();
    const settings = readSettings();
    // Opened first, so that probes can watch the start.
    const metricsPort = settings.metricsPort && (await MetricsPort.open(settings.metricsPort, settings.services));
    await preflight(settings, settings.services.includes('api') ? [settings.api] : []);
    const database = needsEmbeddedDatabase(settings) ? await startDatabase(settings.dataDir) : undefined;
    this.servicePaths = settings.services.map((name) =>
      decodeURIComponent(new URL(`services/${name}/${name}.service.ts`, import.meta.url).pathname),
    );
    const options = brokerOptions(settings);
    const release = async (withinMs: number): Promise<void> => {
      await database?.stop(withinMs);
      await metricsPort?.stop();
    };
    return {
      ...options,
      middlewares: [
        ...(options.middlewares ?? []),
        ...(metricsPort ? [metricsPort.middleware()] : []),
        lifecycleMiddleware({ release }),
      ],
      started: greet,
    };
  } catch (error) {
    return refuseStart(error);
  }
}

/** Starts the embedded database. A signal during the start must not leave a server behind. */
async function startDatabase(dataDir: string): Promise<EmbeddedPostgres> {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const database = await startEmbeddedPostgres({ dataDir });
    if (interrupted) {
      await database.stop();
      process.exit(0);
    }
    return database;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

export default configure;
