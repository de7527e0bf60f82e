/** The broker options of every node. Moleculer's defaults have no timeout, no circuit breaker and no graceful stop. */
import { hostname } from 'node:os';
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
import { FormattedLogger } from '../process/log-format.ts';
import { type Settings, settingsMiddleware } from '../settings/settings.ts';
import { circuitBreaker } from './circuit-breaker.middleware.ts';
import { isValidationError, validationFailure } from '../params/validation-failure.ts';
import { failover } from './failover.middleware.ts';
import { nodeWatch } from './node-watch.middleware.ts';
import { FailureRegenerator } from './failure-regenerator.ts';

/** The Moleculer namespace of the mesh; NATS subjects contain it. */
export const NAMESPACE = 'waybill';

/** The timeout of a call whose caller sets none. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long a stop waits for calls in flight. */
const DRAIN_TIMEOUT_MS = 8_000;

/**
 * From the inside out: the first is nearest to the handler. Moleculer's order puts Timeout outside the breaker, which
 * then never counts a peer that does not answer as failing.
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
    // Outside Timeout: a stop must not wait for a call that has timed out, as its answer may never come.
    'ContextTracker',
    breakerMetrics(),
    access({ enforced: auth !== undefined }),
    ...(auth === undefined ? [] : [identity(auth, mesh)]),
    // Outside everything that refuses a call, so that all refusals have the same form.
    'ErrorHandler',
    failover(),
    nodeWatch(),
  ];
}

/** Identifies the caller of every call; a call from another node must prove it. */
function identity(auth: AuthSettings, mesh: MeshSettings | undefined): Middleware {
  const tokens = tokenVerifier(auth);
  return meshIdentity({ keys: mesh?.keys, verifyToken: async (token) => await tokens.verify(token) });
}

/** This process's name in the mesh: NODEID, or the host name and process id. */
export function nodeName(settings: Settings, pid = process.pid): string {
  return settings.nodeID ?? `${hostname().toLowerCase()}-${pid}`;
}

/**
 * Whether an error counts towards opening the peer's circuit breaker: only when the peer itself is failing. A refusal is
 * an answer, and an order that waits for inventory does not mean that the orders service is failing.
 */
export function countsAsFailure(error: unknown): boolean {
  if (error instanceof Failure) return error instanceof InternalError || error instanceof ServiceUnavailable;
  const code = (error as { code?: unknown } | undefined)?.code;
  return !(typeof code === 'number' && code < 500);
}

/** The broker options for these settings. The caller may add middlewares. */
export function brokerOptions(settings: Settings): BrokerOptions {
  return {
    namespace: NAMESPACE,
    nodeID: nodeName(settings),
    logger: new FormattedLogger(settings),
    logLevel: settings.logLevel,
    transporter: settings.mesh === undefined ? null : new MeshTransporter(settings.mesh),
    serializer: 'JSON',
    heartbeatInterval: 5,
    heartbeatTimeout: 15,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // The service that owes work retries it durably; retries here would multiply those.
    retryPolicy: { enabled: false },
    tracking: { enabled: true, shutdownTimeout: DRAIN_TIMEOUT_MS },
    circuitBreaker: {
      enabled: true,
      threshold: 0.5,
      windowTime: 30,
      minRequestCount: 20,
      halfOpenTime: 2_000,
      check: countsAsFailure,
    },
    // Actions that need a bulkhead enable it themselves.
    bulkhead: { enabled: false },
    registry: { strategy: 'RoundRobin', preferLocal: true },
    validator: new ParamsValidator(),
    // Peers get the same typed failures as HTTP callers.
    errorHandler: (error: Error) => {
      const failure = isValidationError(error) ? validationFailure(error) : error;
      throw failure instanceof Failure ? withCode(failure) : failure;
    },
    errorRegenerator: new FailureRegenerator(),
    internalMiddlewares: false,
    middlewares: middlewaresInsideOut(settings),
    // Served by the gateway and at METRICS_PORT. Moleculer's own Metrics middleware is left out: it halves the throughput.
    metrics: { enabled: true, collectProcessMetrics: true },
    tracing: false,
  };
}
