/** Failures of a request at the HTTP level, whatever it asks for. */
import { Failure } from '../../machines/shared/failure.ts';

export class MalformedBody extends Failure {
  readonly type = 'MALFORMED_BODY';
  readonly retryable = false;
}

export class MethodNotAllowed extends Failure {
  readonly type = 'METHOD_NOT_ALLOWED';
  readonly retryable = false;
}

export class PayloadTooLarge extends Failure {
  readonly type = 'PAYLOAD_TOO_LARGE';
  readonly retryable = false;
}

export class UnsupportedMediaType extends Failure {
  readonly type = 'UNSUPPORTED_MEDIA_TYPE';
  readonly retryable = false;
}

/** The caller has exceeded its rate limit. `data.retryAfterSeconds` says when to retry, in whole seconds. */
export class TooManyRequests extends Failure {
  readonly type = 'TOO_MANY_REQUESTS';
  readonly retryable = true;

  override get retryAfterSeconds(): number {
    return typeof this.data.retryAfterSeconds === 'number' ? this.data.retryAfterSeconds : 1;
  }
}
