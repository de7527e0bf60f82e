/** Turns any thrown value into a failure that is safe to show to a caller. */
import ApiGateway from 'moleculer-web';
import { InternalError, ServiceUnavailable, Failure } from '../../../machines/shared/failure.ts';
import { restoreFailure, shownAs } from './failure-table.ts';
import { isValidationError, validationFailure } from '../../params/validation-failure.ts';

/** The error types with which Moleculer reports an unreachable service. An open circuit breaker is reported as a 404. */
const UNREACHABLE = new Set([
  'SERVICE_NOT_FOUND',
  'SERVICE_NOT_AVAILABLE',
  'REQUEST_TIMEOUT',
  'REQUEST_REJECTED',
  'REQUEST_SKIPPED',
  'QUEUE_FULL',
  'BAD_GATEWAY',
]);

/** moleculer-web's own error for an action that no node offers: it has no type. */
const { ServiceUnavailableError } = ApiGateway.Errors;

/** An unavailable database: socket errors, and SQLSTATE classes 08 (connection), 53 (resources), 57P (shutdown). */
const DATABASE_AWAY = /^(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|08...|53...|57P..)$/;

interface Fields {
  type?: unknown;
  code?: unknown;
  message?: unknown;
  data?: unknown;
}

/** The failure to show. Its message and data contain no stack, SQL, host or node name. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Fields;
  if (isValidationError(error)) return validationFailure(error);
  const restored = restoreFailure(fields);
  if (restored) return restored;
  const isUnreachable = UNREACHABLE.has(String(fields.type)) || error instanceof ServiceUnavailableError;
  if (isUnreachable || DATABASE_AWAY.test(String(fields.code))) {
    return new ServiceUnavailable('A required service is unavailable: retry in a moment');
  }
  return new InternalError('Internal error: report the X-Request-ID of this answer to the operator');
}

/** The body of an error answer: `error` and `message` first, then the failure's data, which never overwrites them. */
export function failureBody(failure: Failure): Record<string, unknown> {
  // `replayed` goes into a header: a replayed answer must have the same body as the first.
  const { replayed: _replayed, error: _error, message: _message, ...data } = failure.data;
  return { error: shownAs(failure).title, message: failure.message, ...data };
}
