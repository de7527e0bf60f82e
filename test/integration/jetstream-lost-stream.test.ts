/** A stream that lost its disk counts from one again, and its consumers still get what is published to it. */
import { beforeEach, expect, test } from '@jest/globals';
import { AckPolicy, connect, type ConsumerInfo, DeliverPolicy, type JetStreamManager, type NatsConnection } from 'nats';
import { Inbox } from '../../mixins/events/inbox/inbox.ts';
import type { Subscription } from '../../mixins/events/stream/event-stream.ts';
import { JetStreamStream } from '../../mixins/events/stream/jetstream.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { eventDatabase, eventOf, leaseOf, Received, silentLogger } from '../support/events.ts';
import { meshAt, type Nats, startNats } from '../support/nats.ts';

const STREAM = 'WAYBILL';
const READER = 'reader';

let nats: Nats;
let stream: JetStreamStream;
let server: NatsConnection;
let manager: JetStreamManager;
let received: Received;

beforeEach(async () => {
  nats = await startNats();
  received = new Received();
  stream = new JetStreamStream({ mesh: meshAt(nats.url), logger: silentLogger() });
  afterTheTest(() => stream.close());
  await eventually(() => expect(stream.reachable).toBe(true));
  server = await connect({ servers: nats.url });
  afterTheTest(() => server.close());
  manager = await server.jetstreamManager();
});

/** What a cluster does with a consumer whose stream comes back empty: its configuration is still there. */
async function recreated(startSequence: number): Promise<void> {
  await manager.consumers.add(STREAM, {
    durable_name: READER,
    ack_policy: AckPolicy.Explicit,
    filter_subject: 'waybill.shipment.updated.*',
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: startSequence,
  });
}

async function publish(...numbers: number[]): Promise<void> {
  for (const n of numbers) await stream.publish(eventOf('shipment-1', n));
}

/** Hands events to a client that dies before it has acknowledged the first of them. */
async function takeWithoutAcknowledging(count: number): Promise<void> {
  const consumer = await server.jetstream().consumers.get(STREAM, READER);
  let taken = 0;
  for await (const message of await consumer.fetch({ max_messages: count, expires: 2_000 })) {
    if (++taken > 1) await message.ackAck();
  }
  expect(taken).toBe(count);
}

const readerInfo = (): Promise<ConsumerInfo> => manager.consumers.info(STREAM, READER);

async function startReader(): Promise<Subscription> {
  const node = (await eventDatabase()).open();
  const consumer = { name: READER, types: ['shipment.updated'], lease: leaseOf(node, `consumer:${READER}`) };
  return await stream.subscribe(
    consumer,
    new Inbox(node, READER).once(async (event) => received.add(event)),
  );
}

const arrived = (...numbers: number[]): Promise<void> =>
  eventually(() => expect(received.byKey.get('shipment-1')).toEqual(numbers));

test('what is pending is handed over, though the consumer was to start far past the end of the stream', async () => {
  await recreated(54_786);
  await publish(0, 1);
  await startReader();
  await arrived(0, 1);
});

test('what is pending is handed over, though the stream has grown past the old start meanwhile', async () => {
  await recreated(3);
  await publish(0, 1, 2, 3, 4);
  await startReader();
  await arrived(0, 1, 2, 3, 4);
});

test('what was delivered and not acknowledged comes again, with all that follows', async () => {
  await recreated(2);
  await publish(0, 1, 2);
  await takeWithoutAcknowledging(2);
  await startReader();
  await arrived(0, 1, 2);
});

test('a consumer of a stream that lost nothing begins where it was to begin, and repeats nothing', async () => {
  await publish(0, 1, 2);
  await recreated(3);
  await publish(3);
  await takeWithoutAcknowledging(1);
  await startReader();
  await arrived(2, 3);
});

test('an empty stream is waited at, and hands over the first event that comes', async () => {
  await recreated(1);
  await startReader();
  await publish(0);
  await arrived(0);
});

test('a consumer without unacknowledged events is taken over as it is: remade, it would wait for an election in a cluster', async () => {
  await publish(0);
  const first = await startReader();
  await arrived(0);
  await eventually(async () => expect((await readerInfo()).ack_floor.stream_seq).toBe(1));
  const { created } = await readerInfo();
  await first.close();
  // Its last request for events ends before the next process begins.
  await eventually(async () => expect((await readerInfo()).num_waiting).toBe(0));
  await publish(1);
  await startReader();
  await arrived(0, 1);
  expect((await readerInfo()).created).toBe(created);
});
