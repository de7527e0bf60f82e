/** The base class of all failures, and the general ones. The gateway maps each class to an HTTP status. */

/** Details that the caller sees beside the message. Never a payload, never a secret. */
export type FailureData = Record<string, unknown>;

/** Crosses the mesh as name, type, message, retryable and data; the receiving node restores the class by its type. */
export abstract class Failure extends Error {
  /** Stable name for programs. */
  abstract readonly type: string;
  /** True when the same request, unchanged, may succeed later. */
  abstract readonly retryable: boolean;
  readonly data: FailureData;

  constructor(message: string, data: FailureData = {}) {
    super(message);
    this.name = new.target.name;
    this.data = data;
  }

  /** Seconds to wait before retrying; undefined when a retry cannot succeed. */
  get retryAfterSeconds(): number | undefined {
    return this.retryable ? 1 : undefined;
  }
}

/** A failure class that can be constructed. */
export type FailureClass = new (message: string, data?: FailureData) => Failure;

/** One validation fault, as listed in `details`. */
export interface FieldFault {
  field: string;
  type: string;
  message: string;
}

/** The maximum number of faulty fields that a message names. */
const FIELDS_NAMED = 10;
/** The maximum number of faults in `details`, so that the size of the response does not depend on the request. */
const FAULTS_NAMED = 100;

export class ValidationFailed extends Failure {
  readonly type = 'VALIDATION_FAILED';
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

export class NotFound extends Failure {
  readonly type = 'NOT_FOUND';
  readonly retryable = false;
}

/** The current state does not allow the event. Data names the state and the allowed events. */
export class IllegalTransition extends Failure {
  readonly type = 'ILLEGAL_TRANSITION';
  readonly retryable = false;
}

/** The order id already has a reservation or shipment with different contents. */
export class OrderIdReused extends Failure {
  readonly type = 'ORDER_ID_REUSED';
  readonly retryable = false;
}

export class InternalError extends Failure {
  readonly type = 'INTERNAL_ERROR';
  readonly retryable = false;
}

/** A capacity limit is reached; nothing was written. */
export class Overloaded extends Failure {
  readonly type = 'OVERLOADED';
  readonly retryable = true;
}

/** A peer service or its database is unavailable. */
export class ServiceUnavailable extends Failure {
  readonly type = 'SERVICE_UNAVAILABLE';
  readonly retryable = true;
}
