/** The options of every Waybill broker. Moleculer's defaults have no timeout, no breaker and no graceful stop. */
import { hostname } from 'node:os';
import { isatty } from 'node:tty';
import { inspect } from 'node:util';
import type { BrokerOptions, Middleware } from 'moleculer';
import { InternalError, ServiceUnavailable, Failure } from '../../machines/shared/failure.ts';
import { access } from '../auth/access.middleware.ts';
import type { AuthSettings } from '../auth/auth.settings.ts';
import { meshIdentity } from '../auth/mesh-identity.middleware.ts';
import { tokenVerifier } from '../auth/tokens.ts';
import { withCode } from '../gateway/reply/failure-table.ts';
import { breakerMetrics } from '../metrics/breaker-metrics.ts';
import type { MeshSettings } from './mesh.settings.ts';
import { MeshTransporter } from './nats/nats-transporter.ts';
import { ParamsValidator } from '../params/params-validator.ts';
import { type Settings, settingsMiddleware } from '../settings/settings.ts';
import { circuitBreaker } from './circuit-breaker.middleware.ts';
import { isValidationError, validationFailure } from '../params/validation-failure.ts';
import { failover } from './failover.middleware.ts';
import { FailureRegenerator } from './failure-regenerator.ts';

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
function middlewaresInsideOut(settings: Settings): BrokerOptions['middlewares'] {
  const { auth, mesh } = settings;
  return [
    settingsMiddleware(settings),
    'ActionHook',
    'Validator',
    'Bulkhead',
    'Timeout',
    circuitBreaker(),
    // Outside of Timeout: a call that was given up, whose answer may never come, must not hold up a stop.
    'ContextTracker',
    breakerMetrics(),
    access({ enforced: auth !== undefined }),
    ...(auth === undefined ? [] : [identity(auth, mesh)]),
    // Outside of all that refuse a call: what they throw is told in the same form.
    'ErrorHandler',
    failover(),
  ];
}

/** Says of every call who calls; of one from another node, by what it proves. */
function identity(auth: AuthSettings, mesh: MeshSettings | undefined): Middleware {
  const tokens = tokenVerifier(auth);
  return meshIdentity({ keys: mesh?.keys, verifyToken: async (token) => await tokens.verify(token) });
}

/** This process's name in the mesh when NODEID does not give it one. */
export function nodeName(settings: Settings, pid = process.pid): string {
  return settings.nodeID ?? `${hostname().toLowerCase()}-${pid}`;
}

/**
 * Whether an error says that the peer itself is failing, and so counts towards opening its breaker. An answer is not a
 * failure, even an unwelcome one: an order that waits for inventory says nothing against the orders service.
 */
export function countsAsFailure(error: unknown): boolean {
  if (error instanceof Failure) return error instanceof InternalError || error instanceof ServiceUnavailable;
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
    transporter: settings.mesh === undefined ? null : new MeshTransporter(settings.mesh),
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
    validator: new ParamsValidator(),
    // Peers get the same typed refusal as HTTP's callers do.
    errorHandler: (error: Error) => {
      const failure = isValidationError(error) ? validationFailure(error) : error;
      throw failure instanceof Failure ? withCode(failure) : failure;
    },
    errorRegenerator: new FailureRegenerator(),
    internalMiddlewares: false,
    middlewares: middlewaresInsideOut(settings),
    // Shown by the gateway and at METRICS_PORT. Moleculer's middleware that measures every call is left out, as it would halve
    // the speed.
    metrics: { enabled: true, collectProcessMetrics: true },
    tracing: false,
  };
}

function onOneLine(value: unknown): string {
  const text =
    value instanceof Error ? stackOf(value) : inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY });
  return text.replaceAll(/\s*\n\s*/g, ' | ');
}

/** An error without its data, which can be what a caller sent: a name, an address. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
