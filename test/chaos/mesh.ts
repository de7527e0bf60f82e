/** The mesh a round is played on: real processes, a database for each service, and a proxy on every connection. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVICES } from '../../services/settings.ts';
import { freePort } from '../support/free-port.ts';
import { Proxy } from '../support/process/proxy.ts';
import { Nats, Postgres } from './servers.ts';
import { type ServiceName, WaybillNode } from './waybill-node.ts';

/** The services that keep data. */
export const STATEFUL = ['orders', 'inventory', 'tracking'] as const;
export type Stateful = (typeof STATEFUL)[number];

/** The nodes of the mesh before anything is started: the possible targets of faults. */
export interface Shape {
  /** How many processes each service has. */
  nodesEach: number;
  /** ORDER_LEASE of every node, in milliseconds. */
  leaseMs: number;
  /** CALL_TIMEOUT of every node, in milliseconds. */
  callTimeoutMs: number;
}

export interface MeshOptions extends Shape {
  folder: string;
  plant?: string | undefined;
  /** Receives progress messages while the mesh starts. */
  say: (what: string) => void;
}

export interface Mesh extends Shape {
  /** Bases of the gateways, with `/api/v1`. */
  readonly urls: readonly string[];
  readonly nats: Nats;
  readonly nodes: readonly WaybillNode[];
  node(name: string): WaybillNode;
  postgres(service: Stateful): Postgres;
  /** Ends every process and connection. */
  stop(): Promise<void>;
}

/** An order that cannot be confirmed is given up after this long, so that a round sees that too. */
const PENDING_TTL = '20s';

/** The names of the nodes of a service. */
export function nodeNames(service: ServiceName, { nodesEach }: Pick<Shape, 'nodesEach'>): string[] {
  return Array.from({ length: nodesEach }, (_, i) => `${service}-${i + 1}`);
}

/** Starts everything and waits until each process is up. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { folder, nodesEach, leaseMs, callTimeoutMs, plant, say } = options;
  say(`starting ${STATEFUL.length} PostgreSQL servers and NATS`);
  const logFolder = join(folder, 'logs');
  await mkdir(logFolder, { recursive: true });
  const [nats, ...servers] = await Promise.all([
    Nats.start(join(folder, 'nats')),
    ...STATEFUL.map((service) => Postgres.start(join(folder, service))),
  ]);
  const databases = new Map(STATEFUL.map((service, i) => [service, servers[i] as Postgres]));
  const nodes: WaybillNode[] = [];
  const urls: string[] = [];
  for (const service of ['api', ...STATEFUL] as const) {
    for (const name of nodeNames(service, { nodesEach })) {
      const natsLink = await Proxy.listen(() => nats.port);
      const database = service === 'api' ? undefined : (databases.get(service) as Postgres);
      const postgresLink = database && (await Proxy.listen(() => database.port));
      const port = await freePort();
      if (service === 'api') urls.push(`http://127.0.0.1:${port}/api/v1`);
      const env = {
        PORT: String(port),
        TRANSPORTER: `nats://127.0.0.1:${natsLink.port}`,
        DEMO_CATALOG: 'false',
        LOGLEVEL: 'info',
        ORDER_LEASE: `${leaseMs}ms`,
        CALL_TIMEOUT: `${callTimeoutMs}ms`,
        ORDER_PENDING_TTL: PENDING_TTL,
        ...(database && postgresLink
          ? { [`${service.toUpperCase()}_DATABASE_URL`]: database.urlThrough(postgresLink.port) }
          : {}),
        SERVICES: servicesOf(service),
      };
      const links = { nats: natsLink, ...(postgresLink ? { postgres: postgresLink } : {}) };
      nodes.push(new WaybillNode({ name, service, env, links, logFolder, plant }));
    }
  }
  say(`starting ${nodes.length} Waybill processes`);
  await Promise.all(nodes.map((node) => node.start()));
  return {
    nodesEach,
    leaseMs,
    callTimeoutMs,
    urls,
    nats,
    nodes,
    node(name) {
      const found = nodes.find((node) => node.name === name);
      if (!found) throw new Error(`there is no node ${name}`);
      return found;
    },
    postgres: (service) => databases.get(service) as Postgres,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      for (const { links } of nodes) {
        links.nats.close();
        links.postgres?.close();
      }
      await Promise.all([nats.kill(), ...servers.map((server) => server.end())]);
    },
  };
}

/** Reports keep nothing: they run beside the gateway. */
function servicesOf(service: ServiceName): string {
  const known: readonly string[] = Object.keys(SERVICES);
  return service === 'api' && known.includes('reports') ? 'api,reports' : service;
}
