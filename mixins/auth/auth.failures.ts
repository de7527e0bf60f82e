/** The failures of authentication and authorization. */
import { Failure } from '../../machines/shared/failure.ts';

/** The caller is unknown: it sent no token, or an invalid one. */
export class Unauthenticated extends Failure {
  readonly type = 'UNAUTHENTICATED';
  readonly retryable = false;
}

/** The caller is known but not allowed to do this. */
export class Forbidden extends Failure {
  readonly type = 'FORBIDDEN';
  readonly retryable = false;
}
