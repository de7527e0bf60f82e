/** The failures of placing or changing an order. */
import { Failure } from '../shared/failure.ts';

export class InsufficientStock extends Failure {
  readonly type = 'INSUFFICIENT_STOCK';
  readonly retryable = false;
}

/** The order was cancelled while the request that placed or resumed it was running. */
export class OrderCancelled extends Failure {
  readonly type = 'ORDER_CANCELLED';
  readonly retryable = false;
}

/** The order is stored, and waits for an unavailable service. Data names the order. */
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
