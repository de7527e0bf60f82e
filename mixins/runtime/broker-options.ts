/** The options of every Waybill broker. Moleculer's defaults have no timeout, no breaker and no graceful stop. */
import { hostname } from 'node:os';
import { isatty } from 'node:tty';
import { inspect } from 'node:util';
import type { BrokerOptions } from 'moleculer';
import { InternalError, ServiceUnavailable, WaybillError } from '../../machines/errors.ts';
import { breakerMetrics } from '../metrics/breaker-metrics.ts';
import type { Settings } from '../settings.ts';
import { circuitBreaker } from './circuit-breaker.middleware.ts';
import { isValidationError, validationFailure } from '../validation-failure.ts';
import { ErrorRegenerator } from './error-regenerator.ts';

/** Nodes of one mesh share this name; topics in NATS carry it. */
export const NAMESPACE = 'waybill';

/** How long a call may take when its caller does not say. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long a stop waits for what is in flight. */
const DRAIN_TIMEOUT_MS = 8_000;

/**
 * From the inside out: the first is nearest to the handler. The built-in order has Timeout outside the breaker, where a
 * peer that never answers is never counted as failing.
 */
function middlewaresInsideOut(): BrokerOptions['middlewares'] {
  return [
    'ActionHook',
    'Validator',
    'Bulkhead',
    'ContextTracker',
    'Timeout',
    circuitBreaker(),
    'ErrorHandler',
    breakerMetrics(),
  ];
}

/** Where the validator's own words leave the caller guessing. */
const CLEARER_MESSAGES = {
  enumValue: "The '{field}' field must be one of: {expected}.",
  date: "The '{field}' field must be a date or a time that exists, such as 2026-01-31 or 2026-01-31T09:30:00Z.",
  stringPattern: "The '{field}' field is not written as it must be.",
};

/** This process's name in the mesh when NODEID does not give it one. */
export function nodeName(settings: Settings, pid = process.pid): string {
  return settings.nodeID ?? `${hostname().toLowerCase()}-${pid}`;
}

/**
 * Whether an error says that the peer itself is failing, and so counts towards opening its breaker. An answer is not a
 * failure, even an unwelcome one: an order that waits for inventory says nothing against the orders service.
 */
export function countsAsFailure(error: unknown): boolean {
  if (error instanceof WaybillError) return error instanceof InternalError || error instanceof ServiceUnavailable;
  const code = (error as { code?: unknown } | undefined)?.code;
  return !(typeof code === 'number' && code < 500);
}

/** The broker options for these settings, to which the caller adds its own middlewares. */
export function brokerOptions(settings: Settings): BrokerOptions {
  return {
    namespace: NAMESPACE,
    nodeID: nodeName(settings),
    logger: {
      type: 'Console',
      options: { formatter: 'full', colors: isatty(1), objectPrinter: onOneLine },
    },
    logLevel: settings.logLevel as BrokerOptions['logLevel'],
    transporter: settings.transporter === undefined ? null : natsTransporter(settings.transporter),
    serializer: 'JSON',
    heartbeatInterval: 5,
    heartbeatTimeout: 15,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Owed work is repeated durably by the service that owes it; a second retry would multiply with it.
    retryPolicy: { enabled: false },
    tracking: { enabled: true, shutdownTimeout: DRAIN_TIMEOUT_MS },
    circuitBreaker: {
      enabled: true,
      threshold: 0.5,
      windowTime: 30,
      minRequestCount: 20,
      halfOpenTime: 5_000,
      check: countsAsFailure,
    },
    // An action that wants one says so itself.
    bulkhead: { enabled: false },
    registry: { strategy: 'RoundRobin', preferLocal: true },
    validator: {
      type: 'Fastest',
      options: { haltOnFirstError: false, useNewCustomCheckerFunction: true, messages: CLEARER_MESSAGES },
    },
    // Peers get the same typed refusal as HTTP's callers do.
    errorHandler: (error: Error) => {
      throw isValidationError(error) ? validationFailure(error) : error;
    },
    errorRegenerator: new ErrorRegenerator(),
    internalMiddlewares: false,
    middlewares: middlewaresInsideOut(),
    // Kept here and shown by the gateway. Without the middleware that measures every call, which would halve the speed.
    metrics: { enabled: true, collectProcessMetrics: true },
    tracing: false,
  } as BrokerOptions;
}

function natsTransporter(address: string): BrokerOptions['transporter'] {
  const { host, username, password } = new URL(address);
  return {
    type: 'NATS',
    options: {
      servers: [host],
      user: decodeURIComponent(username) || undefined,
      pass: decodeURIComponent(password) || undefined,
      name: 'waybill',
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      reconnectJitter: 250,
      pingInterval: 5_000,
      maxPingOut: 2,
    },
  };
}

function onOneLine(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY }).replaceAll(/\s*\n\s*/g, ' | ');
}
