/** Restores the class of our failures when they arrive from other nodes as plain fields. */
import { Errors } from 'moleculer';
import { restoreFailure, withCode } from '../gateway/reply/failure-table.ts';

/** The broker option `errorRegenerator`: restores failures by their stable `type`, never by their message. */
export class FailureRegenerator extends Errors.Regenerator {
  override restoreCustomError(plain: { type?: string; message: string; data?: object }): Error {
    // For undefined Moleculer creates a generic error; its types do not allow undefined.
    const failure = restoreFailure(plain);
    return (failure && withCode(failure)) as Error;
  }
}
