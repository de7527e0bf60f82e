/** Where a recreated durable consumer must start so that it misses nothing, whatever happened to the stream. */
import type { Logger } from 'moleculer';
import type { ConsumerInfo, StreamInfo } from 'nats';
import type { Consumer } from './event-stream.ts';
import { isNotFound, type JetStreamLink } from './jetstream-link.ts';

/** Where to start in the stream, and whether the stream has lost messages. */
export interface ConsumerStart {
  /** Whether the stream knows the consumer. */
  readonly exists: boolean;
  readonly from: number;
  /** The stream has lost messages: it ends before the consumer's position, or was recreated. */
  readonly lost: boolean;
}

/**
 * Where the consumer starts. A consumer that the stream does not know, but that has handled events, belonged to a stream
 * that is gone.
 */
export async function consumerStart(link: JetStreamLink, consumer: Consumer): Promise<ConsumerStart> {
  const known = await link.manager.consumers.info(link.stream, consumer.name).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (known) return { exists: true, ...(await startOf(link, known)) };
  return { exists: false, from: 1, lost: (await consumer.hasHandledEvents?.()) ?? false };
}

/**
 * Brings the consumer's service up to date from the data of the services that published the events.
 * @throws when one of them is away: nothing is missed if this is called again before the consumer is recreated
 */
export async function catchUp(consumer: Consumer, stream: string, logger: Logger): Promise<void> {
  logger.error(
    `The stream ${stream} lost events that consumer ${consumer.name} may not have handled: catching up from the services that published them`,
  );
  await consumer.catchUp?.();
  logger.info(`Consumer ${consumer.name} has caught up`);
}

/**
 * The acknowledged floor decides; if nothing is acknowledged, the start sequence of the old consumer does. A stream that
 * lost its disk counts from one again, while the consumer's configuration may survive in the cluster with a start beyond
 * the end of the stream, which the server treats as "the next message": such a start is meaningless. Starting too early
 * only redelivers events, which the inbox skips.
 */
async function startOf(
  { manager, stream }: JetStreamLink,
  consumer: ConsumerInfo,
): Promise<Omit<ConsumerStart, 'exists'>> {
  const streamInfo = await manager.streams.info(stream);
  const { first_seq, last_seq } = streamInfo.state;
  // Newer servers place the floor of a consumer that has acknowledged nothing just before its start.
  const acknowledged = consumer.ack_floor.consumer_seq > 0 ? consumer.ack_floor.stream_seq : 0;
  if (acknowledged > 0) {
    return acknowledged <= last_seq ? { from: acknowledged + 1, lost: false } : { from: first(first_seq), lost: true };
  }
  const madeFor = consumer.config.opt_start_seq ?? 1;
  if (madeFor <= first_seq) return { from: first(first_seq), lost: false };
  const before = await timeOf(manager, streamInfo, madeFor - 1);
  // Both times are the server's.
  if (madeFor <= last_seq + 1 && before !== undefined && before <= Date.parse(consumer.created)) {
    return { from: madeFor, lost: false };
  }
  return { from: first(first_seq), lost: before !== Number.POSITIVE_INFINITY };
}

/** An empty stream reports zero as its first sequence. */
const first = (sequence: number): number => Math.max(1, sequence);

/** When the message at a sequence was stored; undefined when it does not exist, infinity when it cannot be read. */
async function timeOf(
  manager: JetStreamLink['manager'],
  { config: { name }, state }: StreamInfo,
  sequence: number,
): Promise<number | undefined> {
  if (sequence > state.last_seq) return undefined;
  try {
    return (await manager.streams.getMessage(name, { seq: sequence })).time.getTime();
  } catch (error) {
    // Someone deleted the message from the middle of the stream.
    if (isNotFound(error)) return undefined;
    // The server's permissions may not let this node read messages: assume nothing, and start from the safe position.
    return Number.POSITIVE_INFINITY;
  }
}
