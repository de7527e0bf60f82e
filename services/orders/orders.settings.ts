/** The settings of orders: timeouts, retries and limits. */
import { SettingError, type SettingReader } from '../../mixins/settings/setting-reader.ts';

/** Durations are in milliseconds. */
export interface OrdersSettings {
  /** ORDER_PENDING_TTL: how long an order may stay PENDING_CHECK before it is cancelled. */
  pendingTtlMs: number;
  /** ORDER_LEASE: how long a node owns an order that it works on; after that another node takes it over. */
  leaseMs: number;
  /** ORDER_RETRY_BASE and ORDER_RETRY_CAP: the first and the longest pause between attempts at owed work. */
  retryBaseMs: number;
  retryCapMs: number;
  /** ORDER_MAX_ATTEMPTS: failed attempts after which owed work is parked for an operator. */
  maxAttempts: number;
  /** ORDER_MAX_IN_FLIGHT: how many orders a node processes at once; beyond that callers get 503 and nothing is written. */
  maxInFlight: number;
  /** ORDER_RECOVERY_RATE: how many due orders a node claims per second at most, so that a backlog drains smoothly. */
  recoveryRate: number;
  /** CALL_TIMEOUT: the timeout of one call to a peer service. */
  callTimeoutMs: number;
}

/** @throws SettingError also when the lease is too short for two calls to peers */
export function readOrdersSettings(read: SettingReader): OrdersSettings {
  const settings: OrdersSettings = {
    pendingTtlMs: read.duration('ORDER_PENDING_TTL', 30 * 60_000),
    leaseMs: read.duration('ORDER_LEASE', 5_000, 1_000),
    retryBaseMs: read.duration('ORDER_RETRY_BASE', 500, 10),
    retryCapMs: read.duration('ORDER_RETRY_CAP', 30_000, 100),
    maxAttempts: read.integer('ORDER_MAX_ATTEMPTS', 50, 1, 1_000_000),
    maxInFlight: read.integer('ORDER_MAX_IN_FLIGHT', 1_024, 1, 1_000_000),
    recoveryRate: read.integer('ORDER_RECOVERY_RATE', 200, 1, 100_000),
    callTimeoutMs: read.duration('CALL_TIMEOUT', 1_500, 10),
  };
  if (settings.callTimeoutMs * 2 >= settings.leaseMs) {
    throw new SettingError(
      'ORDER_LEASE must be more than twice CALL_TIMEOUT: an order calls two peer services within one lease',
    );
  }
  return settings;
}
