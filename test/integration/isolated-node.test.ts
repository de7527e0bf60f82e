/** A node that is cut off from NATS but not from its database leaves the events to a node that is not. */
import { expect, test } from '@jest/globals';
import type { Database } from '../../mixins/database/database.ts';
import { Inbox } from '../../mixins/events/inbox/inbox.ts';
import { Lease } from '../../mixins/events/lease.ts';
import { Relay } from '../../mixins/events/outbox/relay.ts';
import { JetStreamStream } from '../../mixins/events/stream/jetstream.ts';
import { Proxy } from '../support/process/proxy.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { eventOf, silentLogger, writeRows } from '../support/events.ts';
import { events, nats, received, useJetStream } from '../support/jetstream.ts';
import { meshAt } from '../support/nats.ts';

/** From the cut to another node's lease: noticed within some two seconds, given up within two more. */
const TAKEOVER_MS = 6_000;

interface Node {
  database: Database;
  proxy: Proxy;
  stream: JetStreamStream;
  relayLease: Lease;
  readerLease: Lease;
}

useJetStream();

/** A process that relays and reads, with its own way to NATS. */
async function startNode(): Promise<Node> {
  const proxy = await Proxy.listen(() => Number(new URL(nats.url).port));
  afterTheTest(async () => proxy.close());
  const database = events.open();
  const stream = new JetStreamStream({
    mesh: meshAt(`nats://127.0.0.1:${proxy.port}`),
    logger: silentLogger(),
  });
  afterTheTest(() => stream.close());
  await eventually(() => expect(stream.reachable).toBe(true));
  const able = (): boolean => stream.reachable;
  const relayLease = new Lease(database, 'relay', { able });
  const relay = new Relay({ database, stream, lease: relayLease, logger: silentLogger() });
  relay.start();
  afterTheTest(() => relay.stop());
  const readerLease = new Lease(database, 'consumer:reader', { able });
  const consumer = { name: 'reader', types: ['shipment.updated'], lease: readerLease };
  await stream.subscribe(
    consumer,
    new Inbox(database, 'reader').once(async (event) => received.add(event)),
  );
  readerLease.start();
  afterTheTest(() => readerLease.stop());
  return { database, proxy, stream, relayLease, readerLease };
}

test.each(['silently', 'with a reset'])(
  'its leases are given up when it is cut off %s, and events flow',
  async (how) => {
    const first = await startNode();
    await writeRows(first.database, [[eventOf('shipment-1', 0)]]);
    await eventually(() => expect(received.count).toBe(1));
    const second = await startNode();
    expect([first.relayLease.held, first.readerLease.held]).toEqual([true, true]);

    const connections = first.proxy.falterOpen();
    if (how === 'with a reset') first.proxy.cut();
    expect(connections).toBeGreaterThan(0);
    await writeRows(first.database, [[eventOf('shipment-1', 1)]]);
    await eventually(() => expect(received.byKey.get('shipment-1')).toEqual([0, 1]), { withinMs: TAKEOVER_MS });
    expect([second.relayLease.held, second.readerLease.held]).toEqual([true, true]);
    expect([first.relayLease.held, first.readerLease.held]).toEqual([false, false]);

    // Once it has its link again it is a candidate like any other.
    first.proxy.heal('reset');
    await eventually(() => expect(first.stream.reachable).toBe(true));
    second.proxy.falterOpen();
    await writeRows(second.database, [[eventOf('shipment-1', 2)]]);
    await eventually(() => expect(received.byKey.get('shipment-1')).toEqual([0, 1, 2]), { withinMs: TAKEOVER_MS });
    expect(first.relayLease.held).toBe(true);
  },
);

test('a link that is restored at once causes no takeover', async () => {
  const first = await startNode();
  await eventually(() => expect(first.relayLease.held).toBe(true));
  const { term } = first.relayLease;
  await startNode();
  expect(first.proxy.cut()).toBeGreaterThan(0);
  await writeRows(first.database, [[eventOf('shipment-1', 0)]]);
  await eventually(() => expect(received.count).toBe(1));
  expect([first.relayLease.held, first.relayLease.term]).toEqual([true, term]);
});
