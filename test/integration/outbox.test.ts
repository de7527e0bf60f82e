/** The outbox of a service: leases, the relay, and the mixins that a service uses. */
import { expect, test } from '@jest/globals';
import { type Context, type ServiceSchema } from 'moleculer';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { databaseMixin } from '../../mixins/database/database.mixin.ts';
import { Lease } from '../../mixins/events/lease.ts';
import { outboxMixin, type WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import { outboxTables, outboxTypes } from '../../mixins/events/outbox/outbox.schema.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { EventRefused, type EventStream, StreamUnavailable } from '../../mixins/events/stream/event-stream.ts';
import { subscriptionsMixin } from '../../mixins/events/inbox/subscriptions.mixin.ts';
import type { Subscriptions } from '../../mixins/events/inbox/subscriptions.ts';
import { eventually } from '../support/eventually.ts';
import { eventDatabase, eventOf, Received, rowsOf, SCHEMA, startRelay, writeRows } from '../support/events.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { plainBroker, settingsFor } from '../support/broker.ts';

/** A stream that gives every event to `publish` and has no subscribers. */
function streamTo(publish: EventStream['publish']): EventStream {
  return {
    publish,
    heard: () => undefined,
    reachable: true,
    subscribe: () => Promise.reject(new Error('nobody subscribes here')),
    close: () => Promise.resolve(),
  };
}

test('a lease has one holder, and its term grows with each takeover', async () => {
  const { open } = await eventDatabase();
  const node = open();
  const [one, two] = [new Lease(node, 'work', { termMs: 300 }), new Lease(node, 'work', { termMs: 300 })];
  expect(await one.acquire()).toBe(true);
  expect(await two.acquire()).toBe(false);
  expect(await one.acquire()).toBe(true);
  expect(one.term).toBe(1);
  // The first falls silent.
  await eventually(async () => expect(await two.acquire()).toBe(true));
  expect(two.term).toBe(2);
  expect(one.held).toBe(false);
  expect(await one.acquire()).toBe(false);
  await two.release();
  expect(two.held).toBe(false);
  expect(await one.acquire()).toBe(true);
  expect(one.term).toBe(3);
});

test('a holder that cannot renew its lease sees it end by its own clock, before anyone else can take it', async () => {
  const { open } = await eventDatabase();
  const [mine, other] = [open(), open()];
  const lease = new Lease(mine, 'work', { termMs: 400 });
  const candidate = new Lease(other, 'work', { termMs: 400 });
  await lease.acquire();
  await mine.close();
  let bothHeld = false;
  await eventually(async () => {
    const taken = await candidate.acquire();
    bothHeld ||= taken && lease.held;
    expect(taken).toBe(true);
  });
  expect(bothHeld).toBe(false);
});

test('one of many relays publishes a schema, and another takes over when it dies between publishing and deleting', async () => {
  const { open } = await eventDatabase();
  const received = new Received();
  const [doomed, heir] = [open(), open()];
  const publishedBy: string[] = [];
  startRelay(
    doomed,
    streamTo(async (event) => {
      publishedBy.push('doomed');
      received.add(event);
      void doomed.close();
    }),
  );
  await eventually(async () => {
    const { rows } = await heir.query(`SELECT 1 FROM tracking.leases WHERE name = 'relay' AND until > now()`);
    expect(rows).toHaveLength(1);
  });
  const relay = startRelay(
    heir,
    streamTo(async (event) => {
      publishedBy.push('heir');
      received.add(event);
    }),
  );
  await writeRows(heir, [[eventOf('shipment-1', 1)], [eventOf('shipment-1', 2)]]);
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  // Both in full and in order: what the first had published was not deleted, so it comes again.
  const first = publishedBy.filter((node) => node === 'doomed').length;
  expect(first).toBeGreaterThan(0);
  expect(received.byKey.get('shipment-1')).toEqual([...[1, 2].slice(0, first), 1, 2]);
});

test('an outage of the stream loses no event and keeps their order', async () => {
  const { open } = await eventDatabase();
  const node = open();
  const received = new Received();
  let away = true;
  let refusals = 0;
  const relay = startRelay(
    node,
    streamTo(async (event) => {
      if (away) {
        refusals++;
        throw new StreamUnavailable('it is away');
      }
      received.add(event);
    }),
  );
  await writeRows(node, rowsOf(20, 10));
  await eventually(() => expect(refusals).toBeGreaterThan(20));
  await node.query(`UPDATE ${node.schema}.outbox SET created_at = now() - interval '1 hour' WHERE id % 2 = 0`);
  const { rows, oldestAgeS } = await relay.backlog();
  expect(rows).toBe(10);
  expect(Math.trunc(oldestAgeS / 60)).toBe(60);
  away = false;
  await eventually(async () => expect(await relay.backlog()).toEqual({ rows: 0, oldestAgeS: 0 }));
  for (const numbers of received.byKey.values()) expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(received.count).toBe(200);
});

test('a row that is not a list of events, or that the stream rejects, is parked and holds up no other row', async () => {
  const { url, open } = await eventDatabase();
  const node = open();
  const received = new Received();
  const relay = startRelay(
    node,
    streamTo(async (event) => {
      if (event.key === 'shipment-13') throw new EventRefused('too large');
      received.add(event);
    }),
  );
  const good = [eventOf('shipment-1', 1)];
  await writeRows(node, [{ no: 'list' }, [{ id: 'x' }], [eventOf('shipment-13', 1), eventOf('shipment-2', 1)], good]);
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  expect([...received.byKey.keys()].toSorted()).toEqual(['shipment-1', 'shipment-2']);
  const parked = await query<{ reason: string }>(url, 'SELECT reason FROM tracking.outbox_parked ORDER BY id');
  expect(parked.map((row) => row.reason)).toEqual([
    'it is not a list of events',
    'it is not a list of events',
    'event shipment-13-1 is too large',
  ]);
});

/** A stream whose only subscribers are those of shipment events. */
const ofShipments = (published: string[]) => ({
  ...streamTo(async (event) => void published.push(event.id)),
  heard: () => ['shipment.updated'],
});

test('events without subscribers leave the outbox unpublished, and a row that is not a list of events is parked all the same', async () => {
  const { open } = await eventDatabase();
  const node = open();
  const published: string[] = [];
  const relay = startRelay(node, ofShipments(published));
  const unheard = { ...eventOf('order-1', 1), type: 'order.created' };
  await writeRows(node, [[unheard], [unheard, eventOf('shipment-1', 1)], { type: 'order.created' }]);
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  expect(published).toEqual(['shipment-1-1']);
  const { rows } = await node.query(`SELECT events FROM ${SCHEMA}.outbox_parked`);
  expect(rows).toEqual([{ events: { type: 'order.created' } }]);
});

test('a row without subscribed types is not read, and one with a subscribed type is', async () => {
  const { open } = await eventDatabase();
  const node = open();
  const published: string[] = [];
  const relay = startRelay(node, ofShipments(published));
  // Reading this row would park it: it is not a list of events.
  await writeRows(node, [{ never: 'read' }], ['order.created']);
  await writeRows(node, [[eventOf('shipment-1', 1)]], ['order.created', 'shipment.updated']);
  await eventually(async () => expect((await relay.backlog()).rows).toBe(0));
  expect(published).toEqual(['shipment-1-1']);
  expect((await node.query(`SELECT 1 FROM ${SCHEMA}.outbox_parked`)).rowCount).toBe(0);
});

test('a relay publishes what is in its outbox before it stops', async () => {
  const { open } = await eventDatabase();
  const node = open();
  const received = new Received();
  const relay = startRelay(
    node,
    streamTo(async (event) => received.add(event)),
  );
  await writeRows(node, [[eventOf('shipment-0', 0)]]);
  await eventually(() => expect(received.count).toBe(1));
  await writeRows(node, rowsOf(30, 300));
  await relay.stop();
  expect(received.count).toBe(9_001);
  expect((await relay.backlog()).rows).toBe(0);
});

test('services exchange events without a transporter, including those left by a crash and those of a shutdown', async () => {
  const url = await createDatabase();
  const received = new Received();
  const heard = new Received();
  const teller = defineService<WithOutbox>({
    name: 'teller',
    mixins: [
      outboxMixin(),
      databaseMixin('tracking', [{ name: '0001', sql: outboxTables('tracking') + outboxTypes('tracking') }]),
    ],
  });
  const onShipment: Subscriptions['shipment.updated'] = {
    wants: (event) => event.key !== 'shipment-99',
    async handler(event) {
      received.add(event);
    },
  };
  const listener = defineService<object>({
    name: 'listener',
    mixins: [
      subscriptionsMixin(),
      databaseMixin('orders', [{ name: '0001', sql: outboxTables('orders') + outboxTypes('orders') }]),
    ],
    subscriptions: { 'shipment.updated': onShipment },
  });
  const bystander: ServiceSchema = {
    name: 'bystander',
    events: { 'shipment.updated': (ctx: Context<DomainEvent>) => heard.add(ctx.params) },
  };
  const insert = (event: DomainEvent) =>
    query(url, 'INSERT INTO tracking.outbox (events) VALUES ($1)', [JSON.stringify([event])]);
  for (let run = 1; run <= 2; run++) {
    const broker = plainBroker(settingsFor({ DATABASE_URL: url }), { nodeID: `node-${run}` });
    for (const schema of [teller, listener, bystander]) broker.createService(schema);
    await broker.start();
    await insert(eventOf('shipment-1', run));
    await insert(eventOf('shipment-99', run));
    await eventually(() => expect(received.byKey.get('shipment-1')?.at(-1)).toBe(run));
    await eventually(() => expect(heard.byKey.get('shipment-99')?.at(-1)).toBe(run));
    await broker.stop();
    // Written while nothing runs, as by a process that dies right after its commit.
    await insert(eventOf('shipment-1', run + 0.5));
  }
  expect(received.byKey.get('shipment-1')).toEqual([1, 1.5, 2]);
  expect(received.byKey.has('shipment-99')).toBe(false);
});
