/** Where a durable consumer that is made anew has to start, so that it misses nothing, whatever befell the stream. */
import type { ConsumerInfo, StreamInfo } from 'nats';
import { isNotFound, type JetStreamLink } from './jetstream-link.ts';

/** The first sequence of the stream that is owed to the consumer, and whether the stream is another than it was. */
export interface ConsumerStart {
  readonly from: number;
  /** The stream has lost what it held: it ends before what the consumer was to start at, or began again from nothing. */
  readonly lost: boolean;
}

/**
 * What has been acknowledged decides, and where nothing has been, the sequence that the consumer was made for. A stream
 * that lost its disk counts from one again, while the consumer's configuration can survive in the cluster with a start
 * past the stream's end, which the server takes for «the next one»: such a start says nothing. Too early a start only
 * repeats events, which the inbox skips.
 */
export async function consumerStart(
  { manager, stream }: JetStreamLink,
  consumer: ConsumerInfo,
): Promise<ConsumerStart> {
  const streamInfo = await manager.streams.info(stream);
  const { first_seq, last_seq } = streamInfo.state;
  const acknowledged = consumer.ack_floor.stream_seq;
  if (acknowledged > 0) {
    return acknowledged <= last_seq ? { from: acknowledged + 1, lost: false } : { from: first(first_seq), lost: true };
  }
  const madeFor = consumer.config.opt_start_seq ?? 1;
  if (madeFor <= first_seq) return { from: first(first_seq), lost: false };
  const before = await timeOf(manager, streamInfo, madeFor - 1);
  // Both times are the server's own.
  if (madeFor <= last_seq + 1 && before !== undefined && before <= Date.parse(consumer.created)) {
    return { from: madeFor, lost: false };
  }
  return { from: first(first_seq), lost: before !== Number.POSITIVE_INFINITY };
}

/** An empty stream says that it begins at zero. */
const first = (sequence: number): number => Math.max(1, sequence);

/** When the message at a sequence, or the next one there is before `last_seq`, was stored; undefined when there is none. */
async function timeOf(
  manager: JetStreamLink['manager'],
  { config: { name }, state }: StreamInfo,
  sequence: number,
): Promise<number | undefined> {
  if (sequence > state.last_seq) return undefined;
  try {
    return (await manager.streams.getMessage(name, { seq: sequence })).time.getTime();
  } catch (error) {
    // Deleted by hand in the middle of the stream.
    if (isNotFound(error)) return undefined;
    // A server whose permissions do not let this node read a message: it cannot be told, so the start is the safe one.
    return Number.POSITIVE_INFINITY;
  }
}
