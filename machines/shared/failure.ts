/** What every failure is: one class each, with a stable type and whether a repeat may work. How HTTP shows them is the gateway's. */

/** Facts about a failure that the caller is shown beside the message. Never a payload, never a secret. */
export type FailureData = Record<string, unknown>;

/** Crosses the mesh as its name, type, message, retryable and data, and is restored by its type on the other side. */
export abstract class Failure extends Error {
  /** Stable name for programs. */
  abstract readonly type: string;
  /** True when the same request may succeed later without being changed. */
  abstract readonly retryable: boolean;
  readonly data: FailureData;

  constructor(message: string, data: FailureData = {}) {
    super(message);
    this.name = new.target.name;
    this.data = data;
  }

  /** Seconds after which a retryable failure is worth repeating. */
  get retryAfterSeconds(): number | undefined {
    return this.retryable ? 1 : undefined;
  }
}

/** A class of failures. */
export type FailureClass = new (message: string, data?: FailureData) => Failure;

/** One fault of what was sent, as listed in `details`. */
export interface FieldFault {
  field: string;
  type: string;
  message: string;
}

/** How many faulty fields a message names. */
const FIELDS_NAMED = 10;
/** How many faults the details have at most: a refusal must not grow with what is refused. */
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

/** An event that the present state does not allow. Data names the state and what is allowed. */
export class IllegalTransition extends Failure {
  readonly type = 'ILLEGAL_TRANSITION';
  readonly retryable = false;
}

/** An order id that is already used for a reservation or shipment with other contents. */
export class OrderIdReused extends Failure {
  readonly type = 'ORDER_ID_REUSED';
  readonly retryable = false;
}

export class InternalError extends Failure {
  readonly type = 'INTERNAL_ERROR';
  readonly retryable = false;
}

/** A bound is reached; nothing was written. */
export class Overloaded extends Failure {
  readonly type = 'OVERLOADED';
  readonly retryable = true;
}

/** A peer service or its database is away. */
export class ServiceUnavailable extends Failure {
  readonly type = 'SERVICE_UNAVAILABLE';
  readonly retryable = true;
}
