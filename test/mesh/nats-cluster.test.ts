/** Events in a cluster of three NATS servers: each is kept three times, and a server that dies stops them for seconds only. */
import { beforeEach, expect, test } from '@jest/globals';
import { connect, type JetStreamManager } from 'nats';
import { Inbox } from '../../mixins/events/inbox/inbox.ts';
import { JetStreamStream } from '../../mixins/events/stream/jetstream.ts';
import { eventually } from '../support/eventually.ts';
import { eventDatabase, eventOf, leaseOf, Received, silentLogger, startRelay, writeRows } from '../support/events.ts';
import { afterTheTest } from '../support/endings.ts';
import { startNatsCluster } from '../support/nats-cluster.ts';
import { meshAt, startNats } from '../support/nats.ts';

const STREAM = 'WAYBILL';
/**
 * The servers elect leaders of JetStream, of the stream and of its consumer, one after the other when one server led all of
 * them: up to eight seconds each on 2.9 and a busy machine.
 */
const ELECTIONS_MS = 24_000;

let received: Received;

beforeEach(() => {
  received = new Received();
});

async function managerAt(url: string): Promise<JetStreamManager> {
  const connection = await connect({ servers: url.split(','), reconnectTimeWait: 100 });
  afterTheTest(() => connection.close());
  return await connection.jetstreamManager({ timeout: 500 });
}

async function openStream(url: string, settings: Record<string, string> = {}, warnings: string[] = []) {
  const logger = { ...silentLogger(), warn: (line: string) => void warnings.push(line) };
  const stream = new JetStreamStream({ mesh: meshAt(url, settings), logger });
  afterTheTest(() => stream.close());
  await eventually(() => expect(stream.reachable).toBe(true), { withinMs: 20_000 });
  return stream;
}

const replicasOf = async (manager: JetStreamManager): Promise<number> =>
  (await manager.streams.info(STREAM)).config.num_replicas;

/** The name of the server that leads the stream. */
const leaderOf = async (manager: JetStreamManager): Promise<string | undefined> =>
  (await manager.streams.info(STREAM)).cluster?.leader;

test('the stream has three replicas; when its leader is killed, the next one takes over', async () => {
  const cluster = await startNatsCluster(3);
  const stream = await openStream(cluster.url);
  const manager = await managerAt(cluster.url);
  expect(await replicasOf(manager)).toBe(3);
  const node = (await eventDatabase()).open();
  await stream.subscribe(
    { name: 'reader', types: ['shipment.updated'], lease: leaseOf(node, 'consumer:reader') },
    new Inbox(node, 'reader').once(async (event) => received.add(event)),
  );
  startRelay(node, stream);
  await writeRows(node, [[eventOf('shipment-1', 0)]]);
  await eventually(() => expect(received.count).toBe(1), { withinMs: 20_000 });

  const names = [...cluster.servers.keys()];
  const dead = await leaderOf(manager);
  expect(names).toContain(dead);
  await cluster.servers.get(String(dead))?.kill();
  await writeRows(node, [[eventOf('shipment-1', 1)]]);
  await eventually(() => expect(received.byKey.get('shipment-1')).toEqual([0, 1]), { withinMs: ELECTIONS_MS });
  const alive = names.filter((name) => name !== dead);
  await eventually(async () => expect(alive).toContain(await leaderOf(manager)));
}, 90_000);

test('a stream with one replica gets three once there is a cluster, unless the setting says otherwise', async () => {
  const cluster = await startNatsCluster(3);
  const manager = await managerAt(cluster.url);
  const warnings: string[] = [];
  await openStream(cluster.url, { NATS_REPLICAS: '1' }, warnings);
  expect(await replicasOf(manager)).toBe(1);
  expect(warnings).toEqual([expect.stringContaining('has one replica')]);
  await openStream(cluster.url);
  expect(await replicasOf(manager)).toBe(3);
}, 90_000);

test('a single server keeps one replica, and the start warns of it', async () => {
  const warnings: string[] = [];
  const { url } = await startNats();
  await openStream(url, {}, warnings);
  expect(await replicasOf(await managerAt(url))).toBe(1);
  expect(warnings).toEqual([expect.stringMatching(/^The stream WAYBILL has one replica: .*NATS_REPLICAS=3$/)]);
});
