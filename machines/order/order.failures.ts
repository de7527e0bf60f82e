/** How placing an order, or changing one, can fail. */
import { Failure } from '../shared/failure.ts';

export class InsufficientStock extends Failure {
  readonly type = 'INSUFFICIENT_STOCK';
  readonly retryable = false;
}

/** The order that a request placed, or carried on, was cancelled meanwhile. */
export class OrderCancelled extends Failure {
  readonly type = 'ORDER_CANCELLED';
  readonly retryable = false;
}

/** The order is safe, and waits for a service that is away. Data names the order. */
export class OrderPending extends Failure {
  readonly type = 'ORDER_PENDING';
  readonly retryable = true;
}

export class IdempotencyKeyInUse extends Failure {
  readonly type = 'IDEMPOTENCY_KEY_IN_USE';
  readonly retryable = true;
}

export class IdempotencyKeyReused extends Failure {
  readonly type = 'IDEMPOTENCY_KEY_REUSED';
  readonly retryable = false;
}

export class PreconditionFailed extends Failure {
  readonly type = 'PRECONDITION_FAILED';
  readonly retryable = false;
}
