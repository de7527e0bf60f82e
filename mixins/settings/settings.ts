/** The settings of a process, and the only code that reads the environment. Each service declares its own settings. */
import { resolve } from 'node:path';
import type { Middleware, ServiceBroker } from 'moleculer';
import { type AuthSettings, readAuthSettings } from '../auth/auth.settings.ts';
import { AddressError } from '../database/address-error.ts';
import { parseAddress } from '../database/address.ts';
import { type MeshSettings, readMeshSettings } from '../mesh/mesh.settings.ts';
import { type MetricsPortSettings, readMetricsPort } from '../process/metrics-port.settings.ts';
import { type Environment, SettingError, SettingReader } from './setting-reader.ts';

/** What a process must know about a service before starting it. */
export interface ServiceDeclaration {
  /** Whether it stores data, in a PostgreSQL schema of the same name. */
  readonly stateful: boolean;
}

/** The services that a process can run, by name, in display order. */
export type ServiceDeclarations = Readonly<Record<string, ServiceDeclaration>>;

/** The settings of a process. Durations are in milliseconds. */
export interface Settings {
  /** How callers authenticate; undefined: no authentication, and the gateway listens on loopback only. */
  auth: AuthSettings | undefined;
  /** How this process connects to the other nodes; undefined: a mesh of one. */
  mesh: MeshSettings | undefined;
  /** Where this process serves its metrics and health; undefined: only at its gateway, if it has one. */
  metricsPort: MetricsPortSettings | undefined;
  /** SERVICES: which services this process runs. */
  services: string[];
  /** Those of `services` that store data. */
  stateful: string[];
  /** DATA_DIR: the folder of the embedded database. */
  dataDir: string;
  /** NODEID: this process's name in the mesh. */
  nodeID: string | undefined;
  /** LOGLEVEL: fatal, error, warn, info, debug or trace. */
  logLevel: (typeof LOG_LEVELS)[number];
  /** LOG_FORMAT: text, or one JSON object a line. */
  logFormat: (typeof LOG_FORMATS)[number];
  /** DATABASE_URL, or a service's own such as ORDERS_DATABASE_URL; undefined: the embedded database. */
  databaseUrl: (service: string) => string | undefined;
  /** DATABASE_POOL_SIZE: the maximum number of connections from a service to its database. */
  databasePoolSize: number;
  /** DATABASE_CONNECTION_MAX_AGE: how long a service uses one connection. */
  databaseConnectionMaxAgeMs: number;
  /** Reads the settings that a service declares. */
  reader: SettingReader;
}

/** The environment at process start, set by `takeEnvironment`. */
let taken: Environment | undefined;

/** Variables that Moleculer's runner would also read, but interpret differently. */
const READ_HERE_ONLY = ['SERVICES', 'SERVICEDIR', 'TRANSPORTER', 'NODEID', 'LOGLEVEL'];

/**
 * Saves the environment for later calls of `environment()`, and removes the variables that Moleculer's runner must not
 * read. Called once, before the broker is created.
 */
export function takeEnvironment(): void {
  taken ??= { ...process.env };
  for (const name of READ_HERE_ONLY) delete process.env[name];
}

/** The environment of the process. */
export const environment = (): Environment => taken ?? process.env;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const LOG_FORMATS = ['text', 'json'] as const;

/**
 * Reads and checks the settings of a process that can run the declared services.
 * @throws SettingError naming the first invalid setting and the expected value.
 */
export function readProcessSettings(declared: ServiceDeclarations, given: Environment): Settings {
  const reader = new SettingReader(given);
  const auth = readAuthSettings(reader);
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
    logLevel: reader.oneOf('LOGLEVEL', LOG_LEVELS, 'info'),
    logFormat: reader.oneOf('LOG_FORMAT', LOG_FORMATS, 'text'),
    databaseUrl: (service) => own.get(service) ?? shared,
    databasePoolSize: reader.integer('DATABASE_POOL_SIZE', 8, 2, 100),
    databaseConnectionMaxAgeMs: reader.duration('DATABASE_CONNECTION_MAX_AGE', 300_000, 1_000),
    reader,
  };
}

/** A database address, as given. Error messages leave it out, because it may contain a password. */
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

/** The middleware that binds settings to a broker; everything that runs on the broker reads them from there. */
export function settingsMiddleware(given: Settings): Middleware {
  return {
    name: 'Settings',
    created(broker) {
      settings.set(broker, given);
    },
  };
}

/** The settings bound to a broker. @throws Error when the broker was created without `brokerOptions` */
export function settingsOf(broker: ServiceBroker): Settings {
  const given = settings.get(broker);
  if (!given) throw new Error('this broker has no settings: create it with brokerOptions');
  return given;
}
