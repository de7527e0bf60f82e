/** The registry of failures: one class each, with a stable type, an HTTP status and whether a repeat may work. */

/** Facts about a failure that the caller is shown beside the message. Never a payload, never a secret. */
export type ErrorData = Record<string, unknown>;

/**
 * What every failure of the engine is. Crosses the mesh with name, code, type, retryable and data, and is restored
 * by its type on the other side.
 */
export abstract class WaybillError extends Error {
  /** Short title, the `error` field of an HTTP answer. */
  abstract readonly title: string;
  /** Stable name for programs. */
  abstract readonly type: string;
  /** HTTP status. */
  abstract readonly code: number;
  /** True when the same request may succeed later without being changed. */
  abstract readonly retryable: boolean;
  readonly data: ErrorData;

  constructor(message: string, data: ErrorData = {}) {
    super(message);
    this.name = new.target.name;
    this.data = data;
  }

  /** Seconds after which a retryable failure is worth repeating: the `Retry-After` header. */
  get retryAfterSeconds(): number | undefined {
    return this.retryable ? 1 : undefined;
  }
}

/** One fault of a request body, as listed in `details`. */
export interface FieldFault {
  field: string;
  type: string;
  message: string;
}

export class MalformedBody extends WaybillError {
  readonly title = 'Bad Request';
  readonly type = 'MALFORMED_BODY';
  readonly code = 400;
  readonly retryable = false;
}

/** How many faulty fields a message names. */
const FIELDS_NAMED = 10;
/** How many faults the details have at most: a refusal must not grow with what is refused. */
const FAULTS_NAMED = 100;

export class ValidationFailed extends WaybillError {
  readonly title = 'Validation failed';
  readonly type = 'VALIDATION_FAILED';
  readonly code = 400;
  readonly retryable = false;

  static of(details: FieldFault[]): ValidationFailed {
    const fields = [...new Set(details.map((fault) => fault.field))];
    const more = fields.length > FIELDS_NAMED ? ` and ${fields.length - FIELDS_NAMED} more` : '';
    const named = fields.slice(0, FIELDS_NAMED).join(', ') + more;
    return new ValidationFailed(`Correct these fields and send the request again: ${named}`, {
      details: details.slice(0, FAULTS_NAMED),
    });
  }
}

export class InsufficientStock extends WaybillError {
  readonly title = 'Insufficient stock';
  readonly type = 'INSUFFICIENT_STOCK';
  readonly code = 400;
  readonly retryable = false;
}

/** Nobody is known to be asking: no token, or one that cannot be believed. */
export class Unauthenticated extends WaybillError {
  readonly title = 'Unauthorized';
  readonly type = 'UNAUTHENTICATED';
  readonly code = 401;
  readonly retryable = false;
}

/** The caller is known, and may not do this. */
export class Forbidden extends WaybillError {
  readonly title = 'Forbidden';
  readonly type = 'FORBIDDEN';
  readonly code = 403;
  readonly retryable = false;
}

export class NotFound extends WaybillError {
  readonly title = 'Not Found';
  readonly type = 'NOT_FOUND';
  readonly code = 404;
  readonly retryable = false;
}

export class MethodNotAllowed extends WaybillError {
  readonly title = 'Method Not Allowed';
  readonly type = 'METHOD_NOT_ALLOWED';
  readonly code = 405;
  readonly retryable = false;
}

/** An event that the present state does not allow. Data names the state and what is allowed. */
export class IllegalTransition extends WaybillError {
  readonly title = 'Conflict';
  readonly type = 'ILLEGAL_TRANSITION';
  readonly code = 409;
  readonly retryable = false;
}

/** The order that a request placed, or carried on, was cancelled meanwhile. */
export class OrderCancelled extends WaybillError {
  readonly title = 'Conflict';
  readonly type = 'ORDER_CANCELLED';
  readonly code = 409;
  readonly retryable = false;
}

export class DuplicateSku extends WaybillError {
  readonly title = 'Conflict';
  readonly type = 'DUPLICATE_SKU';
  readonly code = 409;
  readonly retryable = false;
}

/** An order id that is already used for a reservation or shipment with other contents. */
export class OrderIdReused extends WaybillError {
  readonly title = 'Conflict';
  readonly type = 'ORDER_ID_REUSED';
  readonly code = 409;
  readonly retryable = false;
}

export class IdempotencyKeyInUse extends WaybillError {
  readonly title = 'Conflict';
  readonly type = 'IDEMPOTENCY_KEY_IN_USE';
  readonly code = 409;
  readonly retryable = true;
}

export class PreconditionFailed extends WaybillError {
  readonly title = 'Precondition Failed';
  readonly type = 'PRECONDITION_FAILED';
  readonly code = 412;
  readonly retryable = false;
}

export class PayloadTooLarge extends WaybillError {
  readonly title = 'Payload Too Large';
  readonly type = 'PAYLOAD_TOO_LARGE';
  readonly code = 413;
  readonly retryable = false;
}

export class UnsupportedMediaType extends WaybillError {
  readonly title = 'Unsupported Media Type';
  readonly type = 'UNSUPPORTED_MEDIA_TYPE';
  readonly code = 415;
  readonly retryable = false;
}

export class IdempotencyKeyReused extends WaybillError {
  readonly title = 'Unprocessable Content';
  readonly type = 'IDEMPOTENCY_KEY_REUSED';
  readonly code = 422;
  readonly retryable = false;
}

/** The caller has asked more often than it may. Data names when it may ask again, in whole seconds. */
export class TooManyRequests extends WaybillError {
  readonly title = 'Too Many Requests';
  readonly type = 'TOO_MANY_REQUESTS';
  readonly code = 429;
  readonly retryable = true;

  override get retryAfterSeconds(): number {
    return typeof this.data.retryAfterSeconds === 'number' ? this.data.retryAfterSeconds : 1;
  }
}

export class InternalError extends WaybillError {
  readonly title = 'Internal Server Error';
  readonly type = 'INTERNAL_ERROR';
  readonly code = 500;
  readonly retryable = false;
}

/** The order is safe, and waits for a service that is away. Data names the order. */
export class OrderPending extends WaybillError {
  readonly title = 'Service Unavailable';
  readonly type = 'ORDER_PENDING';
  readonly code = 503;
  readonly retryable = true;
}

/** A bound is reached; nothing was written. */
export class Overloaded extends WaybillError {
  readonly title = 'Service Unavailable';
  readonly type = 'OVERLOADED';
  readonly code = 503;
  readonly retryable = true;
}

/** A peer service or its database is away. */
export class ServiceUnavailable extends WaybillError {
  readonly title = 'Service Unavailable';
  readonly type = 'SERVICE_UNAVAILABLE';
  readonly code = 503;
  readonly retryable = true;
}

type ErrorClass = new (message: string, data?: ErrorData) => WaybillError;

/** Every class above. A test holds the documented table against it. */
export const ERROR_CLASSES: readonly ErrorClass[] = [
  MalformedBody,
  ValidationFailed,
  InsufficientStock,
  Unauthenticated,
  Forbidden,
  NotFound,
  MethodNotAllowed,
  IllegalTransition,
  OrderCancelled,
  DuplicateSku,
  OrderIdReused,
  IdempotencyKeyInUse,
  PreconditionFailed,
  PayloadTooLarge,
  UnsupportedMediaType,
  IdempotencyKeyReused,
  TooManyRequests,
  InternalError,
  OrderPending,
  Overloaded,
  ServiceUnavailable,
];

const byType = new Map(ERROR_CLASSES.map((errorClass) => [new errorClass('').type, errorClass]));

/** Restores an error that crossed a process border as plain fields; undefined for a type that is not ours. */
export function restoreError(fields: { type?: unknown; message?: unknown; data?: unknown }): WaybillError | undefined {
  const errorClass = byType.get(String(fields.type));
  return (
    errorClass &&
    new errorClass(typeof fields.message === 'string' ? fields.message : '', (fields.data ?? {}) as ErrorData)
  );
}
