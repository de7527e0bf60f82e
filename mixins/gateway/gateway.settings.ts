/** The settings of the gateway: its address and its limits. */
import { SettingError, type SettingReader } from '../settings/setting-reader.ts';

/** A rate limit: a bucket of `requests` that refills within `periodMs`. */
export interface Rate {
  requests: number;
  periodMs: number;
}

/** Durations are milliseconds. */
export interface GatewaySettings {
  /** HOST: the address the gateway listens on. Only loopback addresses are accepted without authentication. */
  host: string;
  /** PORT: the port it listens on; 0 picks any free one. */
  port: number;
  /** MAX_BODY_BYTES: the largest request body. */
  maxBodyBytes: number;
  /** RATE_LIMIT: the rate limit of each caller at this gateway; undefined: unlimited. */
  rateLimit: Rate | undefined;
  /** TRUST_PROXY: how many proxies are in front of the gateway; only their entries in X-Forwarded-For are trusted. */
  trustedProxies: number;
  /** MAX_CONNECTIONS: how many connections may be open; further ones are closed at once. */
  maxConnections: number;
  /** HEADERS_TIMEOUT: how long a request's headers may take to arrive. */
  headersTimeoutMs: number;
  /** REQUEST_TIMEOUT: how long a whole request may take to arrive. */
  requestTimeoutMs: number;
  /** KEEP_ALIVE_TIMEOUT: how long a connection without a request is kept. */
  keepAliveTimeoutMs: number;
  /** STREAMS_PER_CALLER: how many streams a caller may have open at this gateway. */
  streamsPerCaller: number;
  /** CORS_ORIGINS: the origins whose pages may call the API from a browser. */
  corsOrigins: string[];
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const PERIODS_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };
const MAX_RATE = 1_000_000;
/** The default with authentication, when the gateway is meant to be reachable from elsewhere. */
const RATE_FOR_OTHERS: Rate = { requests: 200, periodMs: 1_000 };

/** Reads the settings. @throws SettingError, also for an address others can reach while authentication is off */
export function readGatewaySettings(
  read: SettingReader,
  { authenticated }: { authenticated: boolean },
): GatewaySettings {
  const host = read.text('HOST') ?? '127.0.0.1';
  if (!authenticated && !LOOPBACK.test(host)) {
    throw new SettingError(
      `HOST=${host} cannot be used without authentication: set AUTH_JWT_SECRET or AUTH_JWKS_URL, or listen on 127.0.0.1`,
    );
  }
  const requestTimeoutMs = read.duration('REQUEST_TIMEOUT', 30_000, 100);
  const headersTimeoutMs = read.duration('HEADERS_TIMEOUT', Math.min(10_000, requestTimeoutMs), 100);
  if (headersTimeoutMs > requestTimeoutMs) {
    throw new SettingError('HEADERS_TIMEOUT must not exceed REQUEST_TIMEOUT: lower the first or raise the second');
  }
  return {
    host,
    port: read.integer('PORT', 8090, 0, 65_535),
    maxBodyBytes: read.integer('MAX_BODY_BYTES', 1_048_576, 1_024, 104_857_600),
    rateLimit: readRate(read, authenticated ? RATE_FOR_OTHERS : undefined),
    trustedProxies: read.integer('TRUST_PROXY', 0, 0, 10),
    maxConnections: read.integer('MAX_CONNECTIONS', 10_000, 1, 1_000_000),
    headersTimeoutMs,
    requestTimeoutMs,
    keepAliveTimeoutMs: read.duration('KEEP_ALIVE_TIMEOUT', 65_000, 100),
    streamsPerCaller: read.integer('STREAMS_PER_CALLER', 20, 1, 100_000),
    corsOrigins: readOrigins(read),
  };
}

function readRate(read: SettingReader, fallback: Rate | undefined): Rate | undefined {
  const text = read.text('RATE_LIMIT')?.toLowerCase();
  if (text === undefined) return fallback;
  if (text === 'off') return undefined;
  const match = /^(\d{1,7})(?:\/([smh]))?$/.exec(text);
  const requests = Number(match?.[1]);
  if (!(requests >= 1 && requests <= MAX_RATE)) {
    read.refuse('RATE_LIMIT', `requests per second such as 100, or 600/m or 5000/h, at most ${MAX_RATE}, or off`);
  }
  return { requests, periodMs: PERIODS_MS[match?.[2] ?? 's'] as number };
}

function readOrigins(read: SettingReader): string[] {
  const origins = (read.text('CORS_ORIGINS') ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
  for (const origin of origins) {
    // Browsers send an origin without a path or trailing slash, and it is compared as a whole.
    if (!/^https?:\/\/[^*]+$/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      const expected = 'a comma-separated list of origins without wildcards or paths, such as https://shop.example';
      throw new SettingError(`CORS_ORIGINS cannot be used with ${origin}: give ${expected}`);
    }
  }
  return [...new Set(origins)];
}
