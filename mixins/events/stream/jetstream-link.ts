/** What a connection to JetStream offers to those that publish and pull on it. */
import { type JetStreamClient, type JetStreamManager, NatsError } from 'nats';

/** How long the stream keeps events. Inboxes must remember for longer. */
export const STREAM_MAX_AGE_MS = 7 * 86_400_000;

/** The live ends of one connection with its stream made ready; replaced as a whole after every reconnect. */
export interface JetStreamLink {
  readonly stream: string;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** True when JetStream says that the stream or consumer asked for does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.code === 404;
}

/** True when the NATS client failed for this reason. */
export function failedFor(error: unknown, code: string): boolean {
  return error instanceof NatsError && error.code === code;
}
