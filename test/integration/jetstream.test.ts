/** The JetStream path as nodes and servers come and go. */
import { expect, test } from '@jest/globals';
import type { Database } from '../../mixins/database/database.ts';
import type { EventStream, HandleEvent } from '../../mixins/events/stream/event-stream.ts';
import { Inbox } from '../../mixins/events/inbox/inbox.ts';
import { JetStreamStream } from '../../mixins/events/stream/jetstream.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { eventOf, leaseOf, rowsOf, silentLogger, startRelay, writeRows } from '../support/events.ts';
import { events, nats, received, useJetStream } from '../support/jetstream.ts';
import { meshAt } from '../support/nats.ts';

useJetStream();

function connectNode(): EventStream {
  const stream = new JetStreamStream({ mesh: meshAt(nats.url), logger: silentLogger() });
  afterTheTest(() => stream.close());
  return stream;
}

/** One process of the consumer `reader`. */
async function startReader(
  node: Database,
  stream: EventStream,
  handle: HandleEvent = async (event) => received.add(event),
) {
  const lease = leaseOf(node, 'consumer:reader');
  await stream.subscribe(
    { name: 'reader', types: ['shipment.updated'], lease },
    new Inbox(node, 'reader').once(handle),
  );
  return lease;
}

const complete = (numbers: number): number[] => Array.from({ length: numbers }, (_, n) => n);

test('events written while NATS is away arrive once it is back, complete and in order', async () => {
  const node = events.open();
  const stream = connectNode();
  const relay = startRelay(node, stream);
  await startReader(node, stream);
  await writeRows(node, [[eventOf('shipment-0', 0)]]);
  await eventually(() => expect(received.count).toBe(1));
  await nats.kill();
  await writeRows(
    node,
    rowsOf(10, 20).map((row) => row.filter((event) => event.id !== 'shipment-0-0')),
  );
  expect((await relay.backlog()).rows).toBeGreaterThan(0);
  await nats.restart();
  await eventually(() => expect(received.count).toBe(200), { withinMs: 30_000 });
  for (const numbers of received.byKey.values()) expect(numbers).toEqual(complete(20));
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
}, 60_000);

test('no event is handled twice after a relay is killed between publishing and deleting', async () => {
  const [doomed, heir] = [events.open(), events.open()];
  const [doomedStream, heirStream] = [connectNode(), connectNode()];
  await startReader(heir, heirStream);
  startRelay(doomed, {
    subscribe: (...parameters) => doomedStream.subscribe(...parameters),
    close: () => doomedStream.close(),
    heard: () => doomedStream.heard(),
    get reachable() {
      return doomedStream.reachable;
    },
    publish: async (event) => {
      await doomedStream.publish(event);
      void doomed.close();
    },
  });
  await writeRows(heir, rowsOf(5, 5));
  await eventually(() => expect(received.count).toBeGreaterThan(0));
  const relay = startRelay(heir, heirStream);
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  await eventually(() => expect(received.count).toBe(25));
  for (const numbers of received.byKey.values()) expect(numbers).toEqual(complete(5));
});

test('of two processes of a consumer one gets the events; when it dies the other continues in order', async () => {
  const [first, second] = [events.open(), events.open()];
  const [firstStream, secondStream] = [connectNode(), connectNode()];
  const handledBy = new Set<string>();
  const lease = await startReader(first, firstStream, async (event) => {
    // From here on it works on this key for ever, as a process that hangs.
    if (event.key === 'shipment-1' && event.id === 'shipment-1-10') await new Promise(() => undefined);
    handledBy.add('first');
    received.add(event);
  });
  await eventually(() => expect(lease.held).toBe(true));
  await startReader(second, secondStream, async (event) => {
    handledBy.add('second');
    received.add(event);
  });
  startRelay(second, secondStream);
  await writeRows(second, rowsOf(5, 20));
  await eventually(() => expect(received.count).toBe(4 * 20 + 10));
  expect(handledBy).toEqual(new Set(['first']));
  await first.close();
  await eventually(() => expect(received.count).toBe(100), { withinMs: 20_000 });
  expect(handledBy).toEqual(new Set(['first', 'second']));
  for (const numbers of received.byKey.values()) expect(numbers).toEqual(complete(20));
}, 60_000);
