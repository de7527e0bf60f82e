/** Checks before anything is started, so that an ordinary mistake ends in one clear line. */
import { createServer } from 'node:net';
import { parseAddress } from '../database/address.ts';
import type { Connection } from '../database/connection.ts';
import { Connector } from '../database/connector.ts';
import { DatabaseAbsent } from '../database/database-absent.ts';
import { natsAbsence } from '../mesh/nats/nats-refusal.ts';
import type { Settings } from '../settings/settings.ts';
import { lineOutsideBroker } from './log-format.ts';
import { type Port, portRefusal } from './port-refusal.ts';

/** Whether a service of this process uses the embedded database, because no other is set for it. */
export function needsEmbeddedDatabase(settings: Settings): boolean {
  return settings.stateful.some((service) => settings.databaseUrl(service) === undefined);
}

/**
 * Checks that the ports, the databases and NATS are available. Only logs when NATS does not answer, as the start waits for it.
 * @throws StartRefused or DatabaseAbsent for the first one that is not
 */
export async function preflight(settings: Settings, ports: readonly Port[]): Promise<void> {
  for (const port of ports) await checkPort(port);
  await checkDatabases(settings);
  const absence = settings.mesh && (await natsAbsence(settings.mesh));
  if (absence !== undefined) console.log(lineOutsideBroker('info', `${absence}; waiting for it`));
}

/** Connects to each configured database of this process's services once. @throws DatabaseAbsent */
export async function checkDatabases(settings: Settings): Promise<void> {
  const servicesByUrl = new Map<string, string[]>();
  for (const service of settings.stateful) {
    const url = settings.databaseUrl(service);
    if (url !== undefined) servicesByUrl.set(url, [...(servicesByUrl.get(url) ?? []), service]);
  }
  await Promise.all([...servicesByUrl].map(([url, services]) => checkDatabase(url, services)));
}

async function checkDatabase(url: string, services: string[]): Promise<void> {
  let connection: Connection | undefined;
  try {
    connection = await new Connector(parseAddress(url), 'waybill start').connect();
    await connection.demandWritable();
  } catch (error) {
    throw new DatabaseAbsent(services, url, error);
  } finally {
    await connection?.end().catch(() => undefined);
  }
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
