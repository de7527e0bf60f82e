/** The settings of a process, and the one place where the environment is read. What belongs to one service is declared there. */
import { resolve } from 'node:path';
import type { Middleware, ServiceBroker } from 'moleculer';
import { type AuthSettings, readAuthSettings } from '../auth/auth.settings.ts';
import { AddressError } from '../database/address-error.ts';
import { parseAddress } from '../database/address.ts';
import { type MeshSettings, readMeshSettings } from '../mesh/mesh.settings.ts';
import { type MetricsPortSettings, readMetricsPort } from '../process/metrics-port.settings.ts';
import { type Environment, SettingError, SettingReader } from './setting-reader.ts';

/** What a process has to know of a service before it starts it. */
export interface ServiceDeclaration {
  /** Whether it keeps data, in a PostgreSQL schema of its own name. */
  readonly stateful: boolean;
}

/** The services that a process can run, by name, in the order in which they are listed to people. */
export type ServiceDeclarations = Readonly<Record<string, ServiceDeclaration>>;

/** What the process was told. Durations are milliseconds. */
export interface Settings {
  /** How callers are known; undefined: nobody is asked, and the gateway listens on loopback only. */
  auth: AuthSettings | undefined;
  /** How this process meets the others; undefined is a mesh of one. */
  mesh: MeshSettings | undefined;
  /** Where this process shows its metrics and its health; undefined: nowhere but at its gateway, if it has one. */
  metricsPort: MetricsPortSettings | undefined;
  /** SERVICES: which services this process runs. */
  services: string[];
  /** Those of them that keep data. */
  stateful: string[];
  /** DATA_DIR: the folder of the embedded database. */
  dataDir: string;
  /** NODEID: this process's name in the mesh. */
  nodeID: string | undefined;
  /** LOGLEVEL: fatal, error, warn, info, debug or trace. */
  logLevel: string;
  /** DATABASE_URL, or the service's own such as ORDERS_DATABASE_URL; undefined is the embedded database. */
  databaseUrl: (service: string) => string | undefined;
  /** DATABASE_POOL_SIZE: all connections a service opens to its database. */
  databasePoolSize: number;
  /** DATABASE_CONNECTION_MAX_AGE: how long a service uses one of them. */
  databaseConnectionMaxAgeMs: number;
  /** Reads what a service declares for itself. */
  reader: SettingReader;
}

/** The environment as the process was started with it, once `takeEnvironment` has taken it. */
let taken: Environment | undefined;

/** Variables that Moleculer's runner reads too, and otherwise: SERVICES as file names, TRANSPORTER as all there is to say. */
const READ_HERE_ONLY = ['SERVICES', 'SERVICEDIR', 'TRANSPORTER', 'NODEID', 'LOGLEVEL'];

/**
 * Keeps the environment for every later `environment()`, and takes out of it what Moleculer's runner must not read for
 * itself. Called once, before the broker is made.
 */
export function takeEnvironment(): void {
  taken ??= { ...process.env };
  for (const name of READ_HERE_ONLY) delete process.env[name];
}

/** The environment of the process. */
export const environment = (): Environment => taken ?? process.env;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

/**
 * Reads and checks the settings of a process that can run the declared services.
 * @throws SettingError naming the first setting that cannot be used and what to give instead.
 */
export function readProcessSettings(declared: ServiceDeclarations, given: Environment): Settings {
  const reader = new SettingReader(given);
  const auth = readAuthSettings(reader);
  const logLevel = reader.text('LOGLEVEL')?.toLowerCase() ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) reader.refuse('LOGLEVEL', LOG_LEVELS.join(', '));
  const shared = databaseAddress(reader, 'DATABASE_URL');
  const stateful = Object.keys(declared).filter((name) => declared[name]?.stateful);
  const own = new Map(stateful.map((name) => [name, databaseAddress(reader, `${name.toUpperCase()}_DATABASE_URL`)]));
  const services = servicesIn(reader, Object.keys(declared));
  return {
    auth,
    mesh: readMeshSettings(reader, auth),
    metricsPort: readMetricsPort(reader),
    services,
    stateful: stateful.filter((name) => services.includes(name)),
    dataDir: resolve(reader.text('DATA_DIR') ?? '.data'),
    nodeID: reader.text('NODEID'),
    logLevel,
    databaseUrl: (service) => own.get(service) ?? shared,
    databasePoolSize: reader.integer('DATABASE_POOL_SIZE', 8, 2, 100),
    databaseConnectionMaxAgeMs: reader.duration('DATABASE_CONNECTION_MAX_AGE', 300_000, 1_000),
    reader,
  };
}

/** The address of a database, as it was given. The refusal does not repeat it: it may hold a password. */
function databaseAddress(reader: SettingReader, name: string): string | undefined {
  const text = reader.text(name);
  try {
    if (text !== undefined) parseAddress(text);
    return text;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new SettingError(`${name} cannot be used: give ${error.message}`);
  }
}

function servicesIn(read: SettingReader, known: string[]): string[] {
  const names = read
    .text('SERVICES')
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (!names) return known;
  if (names.length === 0 || names.some((name) => !known.includes(name)))
    read.refuse('SERVICES', `a comma list of ${known.join(', ')}`);
  return [...new Set(names)];
}

const settings = new WeakMap<ServiceBroker, Settings>();

/** The middleware that gives a broker its settings, so that whatever runs on it is told by it and by nothing else. */
export function settingsMiddleware(given: Settings): Middleware {
  return {
    name: 'Settings',
    created(broker) {
      settings.set(broker, given);
    },
  };
}

/** The settings that a broker was made with. @throws Error for a broker that was made without `brokerOptions` */
export function settingsOf(broker: ServiceBroker): Settings {
  const given = settings.get(broker);
  if (!given) throw new Error('this broker has no settings: make it with brokerOptions');
  return given;
}
