/** Events that carry the seal of their mesh: while a secret is changed, and when it was changed in the wrong order. */
import { beforeEach, expect, test } from '@jest/globals';
import { connect } from 'nats';
import type { Database } from '../../mixins/database/database.ts';
import { Inbox } from '../../mixins/events/inbox/inbox.ts';
import { JetStreamStream } from '../../mixins/events/stream/jetstream.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { eventOf, leaseOf, silentLogger } from '../support/events.ts';
import { events, nats, received, useJetStream } from '../support/jetstream.ts';
import { meshAt } from '../support/nats.ts';

const OLD = 'the old secret which is long enough';
const NEW = 'the new secret which is long enough';

let refused: string[];

useJetStream();
beforeEach(() => {
  refused = [];
});

/** A process with this secret; without one, of a mesh without authentication. */
function node(secret?: string): JetStreamStream {
  const settings: Record<string, string> = secret === undefined ? {} : { AUTH_JWT_SECRET: OLD, MESH_SECRET: secret };
  const stream = new JetStreamStream({
    mesh: meshAt(nats.url, settings),
    logger: silentLogger(),
    refused: (consumer) => refused.push(consumer),
  });
  afterTheTest(() => stream.close());
  return stream;
}

/** Begins to read. Returns a function that ends it. */
async function read(database: Database, stream: JetStreamStream): Promise<() => Promise<void>> {
  const lease = leaseOf(database, 'consumer:reader');
  const handle = new Inbox(database, 'reader').once(async (event) => received.add(event));
  const subscription = await stream.subscribe({ name: 'reader', types: ['shipment.updated'], lease }, handle);
  return async () => {
    await subscription.close();
    await lease.stop();
  };
}

const publish = (stream: JetStreamStream, n: number): Promise<void> =>
  eventually(() => stream.publish(eventOf('shipment-0', n)));
const numbers = () => received.byKey.get('shipment-0') ?? [];

test('every event is accepted while a secret is changed step by step', async () => {
  const database = events.open();
  await read(database, node(`${OLD},${NEW}`));
  for (const [n, secret] of [OLD, `${OLD},${NEW}`, `${NEW},${OLD}`, NEW].entries()) await publish(node(secret), n);
  await eventually(() => expect(numbers()).toEqual([0, 1, 2, 3]));
  expect(refused).toEqual([]);
});

test('an event published twice, once under each secret, is handled once', async () => {
  const database = events.open();
  await read(database, node(`${OLD},${NEW}`));
  for (const secret of [OLD, NEW]) await publish(node(secret), 0);
  await publish(node(NEW), 1);
  await eventually(() => expect(numbers()).toEqual([0, 1]));
});

test('an event refused because its secret was missing is delivered again once the consumer is deleted', async () => {
  const database = events.open();
  const behind = node(OLD);
  const end = await read(database, behind);
  await publish(node(OLD), 0);
  await publish(node(NEW), 1);
  await publish(node(), 2);
  await publish(node(OLD), 3);
  await eventually(() => expect(numbers()).toEqual([0, 3]));
  expect(refused).toEqual(['reader', 'reader']);
  await end();

  const operator = await connect({ servers: nats.url });
  afterTheTest(() => operator.close());
  await (await operator.jetstreamManager()).consumers.delete('WAYBILL', 'reader');
  await read(database, node(`${NEW},${OLD}`));
  await eventually(() => expect(numbers()).toEqual([0, 3, 1]));
});

test('a node of a mesh without a secret accepts every event, sealed or not', async () => {
  const database = events.open();
  await read(database, node());
  await publish(node(OLD), 0);
  await publish(node(), 1);
  await eventually(() => expect(numbers()).toEqual([0, 1]));
});
