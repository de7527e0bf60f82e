/** A ready connection to JetStream, shared by publishers and consumers. */
import { type JetStreamClient, type JetStreamManager, NatsError } from 'nats';

/** How long the stream keeps events. Inboxes must remember ids for longer. */
export const STREAM_MAX_AGE_MS = 7 * 86_400_000;

/** The clients of one connection whose stream is ready; replaced as a whole after every reconnect. */
export interface JetStreamLink {
  readonly stream: string;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** True when JetStream reports that the stream or consumer does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.code === 404;
}

/** True when the NATS client failed with this error code. */
export function failedFor(error: unknown, code: string): boolean {
  return error instanceof NatsError && error.code === code;
}
