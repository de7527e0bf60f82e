/** Where a durable consumer continues so that it misses nothing, whatever happened to the stream. */
import { AckPolicy, type ConsumerConfig, type ConsumerInfo, ErrorCode, type StreamInfo } from 'nats';
import { failedFor, isNotFound, type JetStreamLink } from './jetstream-link.ts';

/** Where to continue in the stream, and what was found there. */
export interface ConsumerStart {
  /** Whether the stream knows the consumer. */
  readonly exists: boolean;
  /** The stream's consumer continues there by itself: nothing is unacknowledged, and nobody waits for its events. */
  readonly usable: boolean;
  /** Where the stream's consumer begins, if it is configured as wanted and has delivered nothing yet. */
  readonly unused: number | undefined;
  readonly from: number;
  /**
   * The stream may have lost events that the consumer has not handled: it ends before the consumer's position, was
   * recreated, or does not know the consumer.
   */
  readonly lost: boolean;
}

/** Finds out where the consumer of that name continues, if `wanted` is how it is to be configured. */
export async function consumerStart(
  link: JetStreamLink,
  name: string,
  wanted: Partial<ConsumerConfig>,
): Promise<ConsumerStart> {
  const known = await link.manager.consumers.info(link.stream, name).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (!known) return { exists: false, usable: false, unused: undefined, from: 1, lost: true };
  const position = await positionOf(link, known);
  const { num_ack_pending, num_waiting, delivered, config } = known;
  const idle = num_ack_pending === 0 && num_waiting === 0 && isAs(config, wanted);
  const unused = idle && delivered.consumer_seq === 0 ? config.opt_start_seq : undefined;
  const inPlace = delivered.consumer_seq > 0 || unused === position.from;
  return { exists: true, usable: idle && inPlace && !position.lost, unused, ...position };
}

/**
 * The acknowledged floor decides; if nothing is acknowledged, the start sequence of the old consumer does. A stream that
 * lost its disk counts from one again, while the consumer's configuration may survive in the cluster with a start beyond
 * the end of the stream, which the server treats as "the next message": such a start is meaningless. Starting too early
 * only redelivers events, which the inbox skips.
 */
async function positionOf(
  { manager, stream }: JetStreamLink,
  consumer: ConsumerInfo,
): Promise<Pick<ConsumerStart, 'from' | 'lost'>> {
  const streamInfo = await manager.streams.info(stream);
  const { first_seq, last_seq } = streamInfo.state;
  const start = Math.max(1, first_seq);
  // Newer servers place the floor of a consumer that has acknowledged nothing just before its start.
  const acknowledged = consumer.ack_floor.consumer_seq > 0 ? consumer.ack_floor.stream_seq : 0;
  if (acknowledged > 0) {
    return acknowledged <= last_seq ? { from: acknowledged + 1, lost: false } : { from: start, lost: true };
  }
  const madeFor = consumer.config.opt_start_seq ?? 1;
  // A stream that begins anew cannot be told from one at whose beginning the consumer waits.
  if (madeFor <= 1) return { from: start, lost: true };
  if (madeFor <= start) return { from: start, lost: false };
  const before = await timeOf(manager, streamInfo, madeFor - 1);
  // Both times are the server's.
  if (madeFor <= last_seq + 1 && before !== undefined && before <= Date.parse(consumer.created)) {
    return { from: madeFor, lost: false };
  }
  return { from: start, lost: before !== Number.POSITIVE_INFINITY };
}

/** When the message at a sequence was stored; undefined when it does not exist, infinity when it may not be read. */
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
    // The server's permissions do not let this node read messages: assume nothing, and start from the safe position.
    if (failedFor(error, ErrorCode.PermissionsViolation)) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** Whether a consumer is configured as wanted. Its start was decided when it was made. */
function isAs(config: ConsumerConfig, wanted: Partial<ConsumerConfig>): boolean {
  return (
    config.filter_subject === wanted.filter_subject &&
    config.ack_policy === AckPolicy.Explicit &&
    config.ack_wait === wanted.ack_wait &&
    config.max_ack_pending === wanted.max_ack_pending &&
    (config.max_deliver ?? -1) === wanted.max_deliver
  );
}
