/** How a caller is turned away. */
import { Failure } from '../../machines/shared/failure.ts';

/** Nobody is known to be asking: no token, or one that cannot be believed. */
export class Unauthenticated extends Failure {
  readonly type = 'UNAUTHENTICATED';
  readonly retryable = false;
}

/** The caller is known, and may not do this. */
export class Forbidden extends Failure {
  readonly type = 'FORBIDDEN';
  readonly retryable = false;
}
