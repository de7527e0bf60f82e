/** The failures of changing the catalogue and its stock. */
import { Failure } from '../shared/failure.ts';

export class DuplicateSku extends Failure {
  readonly type = 'DUPLICATE_SKU';
  readonly retryable = false;
}

/** A stock was set to less than what is reserved. */
export class StockBelowReserved extends Failure {
  readonly type = 'STOCK_BELOW_RESERVED';
  readonly retryable = false;
}
