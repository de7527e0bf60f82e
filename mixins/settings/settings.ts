/** The one reader of the environment: every setting with its default, its unit and its check. */
import { resolve } from 'node:path';
import { type AuthSettings, readAuthSettings } from '../auth/auth.settings.ts';
import { type HttpSettings, readHttpSettings } from '../gateway/gateway.settings.ts';
import { type MeshSettings, readMeshSettings } from '../mesh/mesh.settings.ts';
import { type Environment, SettingError, SettingReader } from './setting-reader.ts';

/** The services a process can run, in the order in which they are listed to people. */
export const SERVICE_NAMES = ['api', 'orders', 'inventory', 'tracking', 'reports'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Services that keep data, each in a PostgreSQL schema of its own name. */
export const STATEFUL_SERVICES = ['orders', 'inventory', 'tracking'] as const satisfies ServiceName[];
export type StatefulService = (typeof STATEFUL_SERVICES)[number];

/** What the process was told. Durations are milliseconds. */
export interface Settings {
  /** How callers are known; undefined: nobody is asked, and the gateway listens on loopback only. */
  auth: AuthSettings | undefined;
  /** Where the gateway listens, and its limits. */
  http: HttpSettings;
  /** How this process meets the others; undefined is a mesh of one. */
  mesh: MeshSettings | undefined;
  /** SERVICES: which services this process runs. */
  services: ServiceName[];
  /** DATA_DIR: the folder of the embedded database. */
  dataDir: string;
  /** DEMO_CATALOG: whether an empty inventory is given products 1 to 10. */
  demoCatalog: boolean;
  /** NODEID: this process's name in the mesh. */
  nodeID: string | undefined;
  /** LOGLEVEL: fatal, error, warn, info, debug or trace. */
  logLevel: string;
  /** DATABASE_URL, or the service's own such as ORDERS_DATABASE_URL; undefined is the embedded database. */
  databaseUrl: (service: StatefulService) => string | undefined;
  /** DATABASE_POOL_SIZE: connections a service opens at most. */
  databasePoolSize: number;
  /** ORDER_PENDING_TTL: how long an order may stay PENDING_CHECK before it is cancelled. */
  orderPendingTtlMs: number;
  /** ORDER_LEASE: how long a node that has taken an order may be silent before another takes it over. */
  orderLeaseMs: number;
  /** ORDER_RETRY_BASE and ORDER_RETRY_CAP: the first and the longest pause between attempts at owed work. */
  orderRetryBaseMs: number;
  orderRetryCapMs: number;
  /** ORDER_MAX_ATTEMPTS: failed attempts after which owed work is parked for an operator. */
  orderMaxAttempts: number;
  /** ORDER_MAX_IN_FLIGHT: orders a node works on at once; past it callers get 503 and nothing is written. */
  orderMaxInFlight: number;
  /** ORDER_RECOVERY_RATE: owed orders a node takes up a second at most, so that a backlog drains without a stampede. */
  orderRecoveryRate: number;
  /** CALL_TIMEOUT: how long one call to a peer service may take. */
  callTimeoutMs: number;
}

/** The environment as the process was started with it, once `takeEnvironment` has taken it. */
let taken: Environment | undefined;

/** Variables that Moleculer's runner reads too, and otherwise: SERVICES as file names, TRANSPORTER as all there is to say. */
const READ_HERE_ONLY = ['SERVICES', 'SERVICEDIR', 'TRANSPORTER', 'NODEID', 'LOGLEVEL'];

/**
 * Keeps the environment for every later `readSettings`, and takes out of it what Moleculer's runner must not read for
 * itself. Called once, before the broker is made.
 */
export function takeEnvironment(): void {
  taken ??= { ...process.env };
  for (const name of READ_HERE_ONLY) delete process.env[name];
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

/**
 * Reads and checks every setting.
 * @throws SettingError naming the first setting that cannot be used and what to give instead.
 */
export function readSettings(environment: Environment = taken ?? process.env): Settings {
  const read = new SettingReader(environment);
  const auth = readAuthSettings(read);
  const logLevel = read.text('LOGLEVEL')?.toLowerCase() ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) read.refuse('LOGLEVEL', LOG_LEVELS.join(', '));
  const shared = read.url('DATABASE_URL', ['postgres:', 'postgresql:']);
  const own: Record<StatefulService, string | undefined> = {
    orders: read.url('ORDERS_DATABASE_URL', ['postgres:', 'postgresql:']),
    inventory: read.url('INVENTORY_DATABASE_URL', ['postgres:', 'postgresql:']),
    tracking: read.url('TRACKING_DATABASE_URL', ['postgres:', 'postgresql:']),
  };
  const settings: Settings = {
    auth,
    http: readHttpSettings(read, { authenticated: auth !== undefined }),
    mesh: readMeshSettings(read, auth),
    services: servicesIn(read),
    dataDir: resolve(read.text('DATA_DIR') ?? '.data'),
    demoCatalog: read.flag('DEMO_CATALOG', true),
    nodeID: read.text('NODEID'),
    logLevel,
    databaseUrl: (service) => own[service] ?? shared,
    databasePoolSize: read.integer('DATABASE_POOL_SIZE', 6, 2, 100),
    orderPendingTtlMs: read.duration('ORDER_PENDING_TTL', 30 * 60_000),
    orderLeaseMs: read.duration('ORDER_LEASE', 5_000, 1_000),
    orderRetryBaseMs: read.duration('ORDER_RETRY_BASE', 500, 10),
    orderRetryCapMs: read.duration('ORDER_RETRY_CAP', 30_000, 100),
    orderMaxAttempts: read.integer('ORDER_MAX_ATTEMPTS', 50, 1, 1_000_000),
    orderMaxInFlight: read.integer('ORDER_MAX_IN_FLIGHT', 1_024, 1, 1_000_000),
    orderRecoveryRate: read.integer('ORDER_RECOVERY_RATE', 200, 1, 100_000),
    callTimeoutMs: read.duration('CALL_TIMEOUT', 1_500, 10),
  };
  if (settings.callTimeoutMs * 2 >= settings.orderLeaseMs) {
    throw new SettingError(
      'ORDER_LEASE must be more than twice CALL_TIMEOUT: an order is reserved and shipped within one lease',
    );
  }
  return settings;
}

function servicesIn(read: SettingReader): ServiceName[] {
  const names = read
    .text('SERVICES')
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (!names) return [...SERVICE_NAMES];
  const known: readonly string[] = SERVICE_NAMES;
  if (names.length === 0 || names.some((name) => !known.includes(name)))
    read.refuse('SERVICES', `a comma list of ${SERVICE_NAMES.join(', ')}`);
  return [...new Set(names)] as ServiceName[];
}
