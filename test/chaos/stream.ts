/** An independent reader of the JetStream stream: everything that was ever published, in the order of the stream. */
import { AckPolicy, connect, DeliverPolicy, nanos } from 'nats';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';

const STREAM = 'WAYBILL-WAYBILL';

export interface StreamState {
  readonly events: readonly DomainEvent[];
  /** What the durable consumers of the services have not handled yet. */
  readonly pending: number;
}

/** Reads the whole stream. @throws when NATS is away, or answers with less than it has. */
export async function readStream(url: string): Promise<StreamState> {
  const connection = await connect({ servers: url, timeout: 5_000, maxReconnectAttempts: 3 });
  try {
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(STREAM);
    let pending = 0;
    for await (const consumer of manager.consumers.list(STREAM))
      pending += consumer.num_pending + consumer.num_ack_pending;
    const events: DomainEvent[] = [];
    if (state.messages === 0) return { events, pending };
    const { name } = await manager.consumers.add(STREAM, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      inactive_threshold: nanos(30_000),
    });
    const consumer = await connection.jetstream().consumers.get(STREAM, name);
    for (let seq = 0; seq < state.last_seq; ) {
      const before = seq;
      for await (const message of await consumer.fetch({ max_messages: 1_000, expires: 3_000 })) {
        events.push(message.json<DomainEvent>());
        seq = message.seq;
        if (seq >= state.last_seq) break;
      }
      if (seq === before) throw new Error(`the stream ends at ${state.last_seq}, and was read up to ${seq} only`);
    }
    await manager.consumers.delete(STREAM, name);
    return { events, pending };
  } finally {
    await connection.close();
  }
}
