/** The one reader of the environment: every setting with its default, its unit and its check. */
import { resolve } from 'node:path';

/** The services a process can run, in the order in which they are listed to people. */
export const SERVICE_NAMES = ['api', 'orders', 'inventory', 'tracking', 'reports'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Services that keep data, each in a PostgreSQL schema of its own name. */
export const STATEFUL_SERVICES = ['orders', 'inventory', 'tracking'] as const satisfies ServiceName[];
export type StatefulService = (typeof STATEFUL_SERVICES)[number];

/** A setting that cannot be used. Its message is the one line the operator sees. */
export class SettingError extends Error {}

/** What the process was told. Durations are milliseconds. */
export interface Settings {
  /** PORT: where the gateway listens. */
  port: number;
  /** HOST: the address it listens on. Only loopback addresses are accepted while no authentication is set up. */
  host: string;
  /** SERVICES: which services this process runs. */
  services: ServiceName[];
  /** DATA_DIR: the folder of the embedded database. */
  dataDir: string;
  /** DEMO_CATALOG: whether an empty inventory is given products 1 to 10. */
  demoCatalog: boolean;
  /** TRANSPORTER: the NATS address, `nats://host:4222`; undefined is a mesh of one. */
  transporter: string | undefined;
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
  /** MAX_BODY_BYTES: the largest request body. */
  maxBodyBytes: number;
}

type Environment = Record<string, string | undefined>;

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

class Reader {
  readonly #environment: Environment;
  constructor(environment: Environment) {
    this.#environment = environment;
  }

  text(name: string): string | undefined {
    return this.#environment[name]?.trim() || undefined;
  }

  refuse(name: string, expected: string): never {
    throw new SettingError(`${name}=${this.#environment[name]} cannot be used: give ${expected}`);
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      this.refuse(name, `a whole number from ${min} to ${max}`);
    return value;
  }

  /** A plain number is milliseconds; `500ms`, `30s`, `15m`, `2h` and `1d` say their unit. */
  duration(name: string, fallbackMs: number, minMs = 1): number {
    const text = this.text(name);
    if (text === undefined) return fallbackMs;
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
    const ms = match ? Math.round(Number(match[1]) * (UNITS[match[2] ?? 'ms'] as number)) : Number.NaN;
    if (!(ms >= minMs && ms <= 366 * 86_400_000))
      this.refuse(name, `a duration of at least ${minMs} ms, such as 30s, 15m or 2h`);
    return ms;
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (text !== 'true' && text !== 'false') this.refuse(name, 'true or false');
    return text === 'true';
  }

  url(name: string, protocols: string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const expected = `an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    // The value may hold a password, so it is not repeated.
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new SettingError(`${name} cannot be used: give ${expected}`);
    }
    return text;
  }

  services(): ServiceName[] {
    const names = this.text('SERVICES')
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    if (!names) return [...SERVICE_NAMES];
    const known: readonly string[] = SERVICE_NAMES;
    if (names.length === 0 || names.some((name) => !known.includes(name)))
      this.refuse('SERVICES', `a comma list of ${SERVICE_NAMES.join(', ')}`);
    return [...new Set(names)] as ServiceName[];
  }
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

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

/**
 * Reads and checks every setting.
 * @throws SettingError naming the first setting that cannot be used and what to give instead.
 */
export function readSettings(environment: Environment = taken ?? process.env): Settings {
  const read = new Reader(environment);
  for (const name of ['AUTH_JWT_SECRET', 'AUTH_JWKS_URL']) {
    // Whoever sets it counts on callers being checked.
    if (read.text(name))
      throw new SettingError(`${name} is set, but this version does not authenticate callers: unset it`);
  }
  const host = read.text('HOST') ?? '127.0.0.1';
  if (!LOOPBACK.test(host)) {
    throw new SettingError(
      `HOST=${host} cannot be used without authentication: listen on 127.0.0.1, and let a proxy that authenticates callers stand before it`,
    );
  }
  const logLevel = read.text('LOGLEVEL')?.toLowerCase() ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) read.refuse('LOGLEVEL', LOG_LEVELS.join(', '));
  const shared = read.url('DATABASE_URL', ['postgres:', 'postgresql:']);
  const own: Record<StatefulService, string | undefined> = {
    orders: read.url('ORDERS_DATABASE_URL', ['postgres:', 'postgresql:']),
    inventory: read.url('INVENTORY_DATABASE_URL', ['postgres:', 'postgresql:']),
    tracking: read.url('TRACKING_DATABASE_URL', ['postgres:', 'postgresql:']),
  };
  const settings: Settings = {
    port: read.integer('PORT', 8090, 0, 65_535),
    host,
    services: read.services(),
    dataDir: resolve(read.text('DATA_DIR') ?? '.data'),
    demoCatalog: read.flag('DEMO_CATALOG', true),
    transporter: read.url('TRANSPORTER', ['nats:']),
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
    maxBodyBytes: read.integer('MAX_BODY_BYTES', 1_048_576, 1_024, 104_857_600),
  };
  if (settings.callTimeoutMs * 2 >= settings.orderLeaseMs) {
    throw new SettingError(
      'ORDER_LEASE must be more than twice CALL_TIMEOUT: an order is reserved and shipped within one lease',
    );
  }
  return settings;
}
