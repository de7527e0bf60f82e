/** The error of a request that NATS could not deliver; nothing of it was executed. */
import { Errors } from 'moleculer';

/** The receiver is not subscribed: the same call can safely be sent to another node. */
export class RequestUndelivered extends Errors.MoleculerRetryableError {
  constructor(action: string | undefined, nodeID: string) {
    super(
      `Node ${nodeID} is gone: the call of ${action ?? 'an action'} was not delivered`,
      503,
      'REQUEST_UNDELIVERED',
      {
        action,
        nodeID,
      },
    );
  }
}
