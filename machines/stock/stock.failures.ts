/** The failures of changing the catalogue. */
import { Failure } from '../shared/failure.ts';

export class DuplicateSku extends Failure {
  readonly type = 'DUPLICATE_SKU';
  readonly retryable = false;
}
