/** What both streams promise, on both: the in-process one and JetStream. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Consumer, EventStream, HandleEvent } from '../../mixins/events/stream/event-stream.ts';
import { Inbox } from '../../mixins/events/inbox/inbox.ts';
import { JetStreamStream } from '../../mixins/events/stream/jetstream.ts';
import { LocalStream } from '../../mixins/events/stream/local-stream.ts';
import { afterTheTest } from '../support/endings.ts';
import { plainBroker } from '../support/broker.ts';
import { eventually } from '../support/eventually.ts';
import {
  eventDatabase,
  eventOf,
  leaseOf,
  Received,
  rowsOf,
  silentLogger,
  startRelay,
  writeRows,
} from '../support/events.ts';
import { meshAt, type Nats, startNats } from '../support/nats.ts';

let nats: Nats;
let database: Awaited<ReturnType<typeof eventDatabase>>;
let namespaces = 0;

beforeAll(async () => {
  nats = await startNats();
});

async function localStream(): Promise<EventStream> {
  const broker = plainBroker();
  await broker.start();
  return new LocalStream(broker);
}

function jetStream(): Promise<EventStream> {
  return Promise.resolve(
    new JetStreamStream({ mesh: meshAt(nats.url), namespace: `t${++namespaces}`, logger: silentLogger() }),
  );
}

async function consume(stream: EventStream, name: string, handle: HandleEvent) {
  const node = database.open();
  const lease = leaseOf(node, `consumer:${name}`);
  const consumer: Consumer = { name, types: ['shipment.updated'], lease };
  const subscription = await stream.subscribe(consumer, new Inbox(node, name).once(handle));
  return async (): Promise<void> => {
    await subscription.close();
    await lease.stop();
  };
}

describe.each([
  { name: 'local', open: localStream },
  { name: 'JetStream', open: jetStream },
])('the $name stream', ({ open }) => {
  async function prepare(): Promise<EventStream> {
    database = await eventDatabase();
    const stream = await open();
    afterTheTest(() => stream.close());
    return stream;
  }

  test('carries every event of an outbox to every consumer, in order per key, and empties the outbox', async () => {
    const stream = await prepare();
    const [one, two] = [new Received(), new Received()];
    await consume(stream, 'one', async (event) => one.add(event));
    await consume(stream, 'two', async (event) => two.add(event));
    const node = database.open();
    const relay = startRelay(node, stream);
    await writeRows(node, rowsOf(40, 25));
    relay.wake();
    await eventually(() => expect([one.count, two.count]).toEqual([1_000, 1_000]));
    const inOrder = Array.from({ length: 25 }, (_, n) => n);
    for (const { byKey } of [one, two]) for (const numbers of byKey.values()) expect(numbers).toEqual(inOrder);
    await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  });

  test('repeats a failing event until it succeeds, holding back its key and no other', async () => {
    const stream = await prepare();
    const received = new Received();
    let broken = true;
    await consume(stream, 'one', async (event) => {
      if (broken && event.key === 'shipment-0') throw new Error('not now');
      received.add(event);
    });
    const node = database.open();
    const relay = startRelay(node, stream);
    await writeRows(node, rowsOf(3, 4));
    await eventually(() => expect(received.byKey.get('shipment-2')).toEqual([0, 1, 2, 3]));
    expect(received.byKey.has('shipment-0')).toBe(false);
    broken = false;
    await eventually(() => expect(received.byKey.get('shipment-0')).toEqual([0, 1, 2, 3]));
    expect(received.count).toBe(12);
    await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  });

  test('calls the handler once for an event that is published twice', async () => {
    const stream = await prepare();
    const received = new Received();
    await consume(stream, 'one', async (event) => received.add(event));
    const node = database.open();
    startRelay(node, stream);
    await writeRows(node, [[eventOf('shipment-1', 1)], [eventOf('shipment-1', 1)], [eventOf('shipment-1', 2)]]);
    await eventually(() => expect(received.byKey.get('shipment-1')).toEqual([1, 2]));
  });

  test('delivers to a consumer that was closed what was published in the meantime', async () => {
    const stream = await prepare();
    const received = new Received();
    const close = await consume(stream, 'one', async (event) => received.add(event));
    const node = database.open();
    startRelay(node, stream);
    await writeRows(node, [[eventOf('shipment-1', 1)]]);
    await eventually(() => expect(received.count).toBe(1));
    await close();
    await writeRows(node, [[eventOf('shipment-1', 2)], [eventOf('shipment-2', 1)]]);
    await consume(stream, 'one', async (event) => received.add(event));
    await eventually(() => expect(received.count).toBe(3), { withinMs: 15_000 });
    expect(received.byKey.get('shipment-1')).toEqual([1, 2]);
  });
});
