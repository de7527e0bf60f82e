/** What is looked at before anything is started, so that an ordinary mistake ends in one clear line. */
import { createServer } from 'node:net';
import pg from 'pg';
import { natsAbsence } from '../mesh/nats/nats-refusal.ts';
import type { Settings } from '../settings/settings.ts';
import { type Port, portRefusal } from './port-refusal.ts';
import { StartRefused } from './refusal.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Whether a service of this process has no database of its own and takes the embedded one. */
export function needsEmbeddedDatabase(settings: Settings): boolean {
  return settings.stateful.some((service) => settings.databaseUrl(service) === undefined);
}

/**
 * Looks whether all that this process needs from outside is there.
 * @throws StartRefused with the first thing that is missing.
 */
export async function preflight(settings: Settings, ports: readonly Port[]): Promise<void> {
  for (const port of ports) await checkPort(port);
  await checkDatabases(settings);
  const absence = settings.mesh && (await natsAbsence(settings.mesh));
  if (absence !== undefined) console.log(`${absence}: waiting for it`);
}

/** Connects to each configured database of this process's services once. */
export async function checkDatabases(settings: Settings): Promise<void> {
  const servicesByUrl = new Map<string, string[]>();
  for (const service of settings.stateful) {
    const url = settings.databaseUrl(service);
    if (url !== undefined) servicesByUrl.set(url, [...(servicesByUrl.get(url) ?? []), service]);
  }
  await Promise.all([...servicesByUrl].map(([url, services]) => checkDatabase(url, services)));
}

async function checkDatabase(url: string, services: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    // Only host and database: the address may hold a password.
    const { host, pathname } = new URL(url);
    throw new StartRefused(
      `the database of ${services.join(', ')} (${host}${pathname}) cannot be reached: ${reasonOf(error)}`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
  ECONNRESET: 'the connection was broken off',
  '28P01': 'the user or the password is refused',
  '28000': 'the user is not let in',
  '3D000': 'there is no such database',
  '53300': 'it has no connection to spare',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? (message || code || 'for an unknown reason');
}

async function checkPort(port: Port): Promise<void> {
  const probe = createServer();
  try {
    await new Promise<void>((done, fail) => {
      probe.once('error', fail);
      probe.listen(port.port, port.host, done);
    });
  } catch (error) {
    throw portRefusal(error, port);
  }
  await new Promise((done) => probe.close(done));
}
