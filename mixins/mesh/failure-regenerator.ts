/** Errors from other nodes arrive as plain fields: this gives ours back their class. */
import { Errors } from 'moleculer';
import { restoreFailure, withCode } from '../gateway/reply/failure-table.ts';

/** For the broker option `errorRegenerator`: restores by the stable `type`, never by the text. */
export class FailureRegenerator extends Errors.Regenerator {
  override restoreCustomError(plain: { type?: string; message: string; data?: object }): Error {
    // Moleculer makes an error of its own when it gets undefined; its types do not say so.
    const failure = restoreFailure(plain);
    return (failure && withCode(failure)) as Error;
  }
}
