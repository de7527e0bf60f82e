/** Turns whatever was thrown into a failure that may be shown to a caller. */
import ApiGateway from 'moleculer-web';
import { InternalError, ServiceUnavailable, Failure } from '../../../machines/shared/failure.ts';
import { restoreFailure, shownAs } from './failure-table.ts';
import { isValidationError, validationFailure } from '../../params/validation-failure.ts';

/** What Moleculer's broker says when a service cannot be reached now. An open breaker comes as a 404 among them. */
const UNREACHABLE = new Set([
  'SERVICE_NOT_FOUND',
  'SERVICE_NOT_AVAILABLE',
  'REQUEST_TIMEOUT',
  'REQUEST_REJECTED',
  'REQUEST_SKIPPED',
  'QUEUE_FULL',
  'BAD_GATEWAY',
]);

/** moleculer-web's own, for an action that no node offers: it has no type. */
const { ServiceUnavailableError } = ApiGateway.Errors;

/** A database that is away: socket errors, and SQLSTATE classes 08 (connection), 53 (resources), 57P (shutdown). */
const DATABASE_AWAY = /^(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|08...|53...|57P..)$/;

interface Fields {
  type?: unknown;
  code?: unknown;
  message?: unknown;
  data?: unknown;
}

/** The failure to show. Its message and data hold no stack, SQL, host or node name. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Fields;
  if (isValidationError(error)) return validationFailure(error);
  const restored = restoreFailure(fields);
  if (restored) return restored;
  const isUnreachable = UNREACHABLE.has(String(fields.type)) || error instanceof ServiceUnavailableError;
  if (isUnreachable || DATABASE_AWAY.test(String(fields.code))) {
    return new ServiceUnavailable('A part of the engine cannot be reached now. Repeat the request in a moment');
  }
  return new InternalError('Something went wrong here. Tell the operator the X-Request-ID of this answer');
}

/** The body of an error answer: `error` and `message` first, then the data of the failure, never over them. */
export function failureBody(failure: Failure): Record<string, unknown> {
  // `replayed` is told in a header, and a stored answer must read the same each time.
  const { replayed: _replayed, error: _error, message: _message, ...data } = failure.data;
  return { error: shownAs(failure).title, message: failure.message, ...data };
}
