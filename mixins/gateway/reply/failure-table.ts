/** The registry of failures: the one place that maps each class to its HTTP status and title. */
import {
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InsufficientStock,
  OrderCancelled,
  OrderPending,
  PreconditionFailed,
} from '../../../machines/order/order.failures.ts';
import {
  IllegalTransition,
  InternalError,
  NotFound,
  OrderIdReused,
  Overloaded,
  ServiceUnavailable,
  ValidationFailed,
  type Failure,
  type FailureClass,
  type FailureData,
} from '../../../machines/shared/failure.ts';
import { DuplicateSku, StockBelowReserved } from '../../../machines/stock/stock.failures.ts';
import { Forbidden, Unauthenticated } from '../../auth/auth.failures.ts';
import {
  MalformedBody,
  MethodNotAllowed,
  PayloadTooLarge,
  TooManyRequests,
  UnsupportedMediaType,
} from '../gateway.failures.ts';

/** How HTTP shows a failure. */
interface Shown {
  readonly status: number;
  /** The `error` field of the answer. */
  readonly title: string;
}

const TABLE: readonly [FailureClass, status: number, title: string][] = [
  [MalformedBody, 400, 'Bad Request'],
  [ValidationFailed, 400, 'Validation failed'],
  [InsufficientStock, 400, 'Insufficient stock'],
  [Unauthenticated, 401, 'Unauthorized'],
  [Forbidden, 403, 'Forbidden'],
  [NotFound, 404, 'Not Found'],
  [MethodNotAllowed, 405, 'Method Not Allowed'],
  [IllegalTransition, 409, 'Conflict'],
  [OrderCancelled, 409, 'Conflict'],
  [DuplicateSku, 409, 'Conflict'],
  [StockBelowReserved, 409, 'Conflict'],
  [OrderIdReused, 409, 'Conflict'],
  [IdempotencyKeyInUse, 409, 'Conflict'],
  [PreconditionFailed, 412, 'Precondition Failed'],
  [PayloadTooLarge, 413, 'Payload Too Large'],
  [UnsupportedMediaType, 415, 'Unsupported Media Type'],
  [IdempotencyKeyReused, 422, 'Unprocessable Content'],
  [TooManyRequests, 429, 'Too Many Requests'],
  [InternalError, 500, 'Internal Server Error'],
  [OrderPending, 503, 'Service Unavailable'],
  [Overloaded, 503, 'Service Unavailable'],
  [ServiceUnavailable, 503, 'Service Unavailable'],
];

/** Every failure class. A test compares the documented table with it. */
export const FAILURES: readonly FailureClass[] = TABLE.map(([failure]) => failure);

const byType = new Map(TABLE.map(([failure]) => [new failure('').type, failure]));
const shown = new Map<string, Shown>(
  TABLE.map(([failure, status, title]) => [new failure('').type, { status, title }]),
);
const UNKNOWN: Shown = { status: 500, title: 'Internal Server Error' };

/** The HTTP status and title of a failure, by its type. */
export const shownAs = ({ type }: { readonly type: string }): Shown => shown.get(type) ?? UNKNOWN;

/** Adds the HTTP status as `code`, as Moleculer's own errors have it, for callers over the broker. */
export const withCode = <F extends Failure>(failure: F): F & { code: number } =>
  Object.assign(failure, { code: shownAs(failure).status });

/** Restores a failure that came from another process as plain fields; undefined for a type that is not ours. */
export function restoreFailure(fields: { type?: unknown; message?: unknown; data?: unknown }): Failure | undefined {
  const failure = byType.get(String(fields.type));
  return (
    failure && new failure(typeof fields.message === 'string' ? fields.message : '', (fields.data ?? {}) as FailureData)
  );
}
