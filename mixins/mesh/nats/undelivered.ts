/** A request that no node was there to take: NATS says so at once, and nothing of it was executed. */
import { Errors } from 'moleculer';

/** Its receiver does not listen: the very same call can be made to another node. */
export class RequestUndelivered extends Errors.MoleculerRetryableError {
  constructor(action: string | undefined, nodeID: string) {
    super(`The request for ${action ?? 'an action'} reached nobody at ${nodeID}`, 503, 'REQUEST_UNDELIVERED', {
      action,
      nodeID,
    });
  }
}
