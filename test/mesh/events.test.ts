/** NATS dies and comes back: traffic recovers automatically, and every event reaches its subscribers, in order per key. */
import { beforeAll, expect, test } from '@jest/globals';
import { AckPolicy, connect, DeliverPolicy, type NatsConnection } from 'nats';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { eventually } from '../support/eventually.ts';
import { afterTheTest } from '../support/endings.ts';
import { http } from '../support/http.ts';
import { createProduct, imbalance, type Mesh, place, startMesh, unfinished } from '../support/mesh.ts';
import { query } from '../support/postgres.ts';

const STREAM = 'WAYBILL-WAYBILL';
const SCHEMAS = ['orders', 'inventory', 'tracking'] as const;

let mesh: Mesh;
beforeAll(async () => {
  mesh = await startMesh();
  // The relay deletes what it has published, so the events are copied as they are written.
  for (const schema of SCHEMAS) {
    await query(
      mesh.databases[schema],
      `CREATE TABLE public.told (id bigint, events json);
       CREATE FUNCTION public.copy() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN INSERT INTO public.told VALUES (new.id, new.events); RETURN new; END';
       CREATE TRIGGER copy AFTER INSERT ON ${schema}.outbox FOR EACH ROW EXECUTE FUNCTION public.copy()`,
    );
  }
}, 90_000);

/** Subscribes as an outsider would, and collects whatever comes from now on, across outages of the server. */
async function subscribe(): Promise<DomainEvent[]> {
  const connection: NatsConnection = await connect({
    servers: mesh.nats.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  const received: DomainEvent[] = [];
  const manager = await connection.jetstreamManager();
  await manager.consumers.add(STREAM, {
    durable_name: 'outsider',
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.New,
  });
  const closing = new AbortController();
  const pull = async (): Promise<void> => {
    const consumer = await connection.jetstream().consumers.get(STREAM, 'outsider');
    while (!closing.signal.aborted) {
      for await (const message of await consumer.fetch({ max_messages: 500, expires: 1_000 })) {
        received.push(message.json());
        message.ack();
      }
    }
  };
  const reading = (async () => {
    while (!closing.signal.aborted) await eventually(pull, { withinMs: 30_000 });
  })();
  afterTheTest(async () => {
    closing.abort();
    await reading;
    await connection.close();
  });
  return received;
}

/** Every event that the services wrote, as the database has them: by schema, in the order of the commits. */
async function written(): Promise<DomainEvent[]> {
  const rows = await Promise.all(
    SCHEMAS.map((schema) =>
      query<{ events: DomainEvent[] }>(mesh.databases[schema], 'SELECT events FROM public.told ORDER BY id'),
    ),
  );
  return rows.flat().flatMap((row) => row.events);
}

/** Event ids by key, each where it first appears. */
function idsByKey(events: readonly DomainEvent[]): Map<string, string[]> {
  const byKey = new Map<string, Set<string>>();
  for (const { key, id } of events) byKey.set(key, (byKey.get(key) ?? new Set()).add(id));
  return new Map([...byKey].map(([key, ids]) => [key, [...ids]]));
}

const waiting = async (): Promise<number> => {
  const counts = await Promise.all(
    SCHEMAS.map((schema) =>
      query<{ count: number }>(mesh.databases[schema], `SELECT count(*)::int AS count FROM ${schema}.outbox`),
    ),
  );
  return counts.reduce((sum, [row]) => sum + (row?.count ?? 0), 0);
};

test('after NATS was killed and started again orders flow, the outboxes drain, and no event is missing or out of order', async () => {
  const received = await subscribe();
  const productId = await createProduct(mesh, 'STORM', 3, 1_000);
  const first = await Promise.all(Array.from({ length: 20 }, () => place(mesh, productId)));
  expect(first.map((reply) => reply.status)).toEqual(first.map(() => 201));

  // Somebody else holds the lease of the relay. The node that had it goes on until its term would have ended; what is
  // written after that is owed when NATS dies.
  const [term] = await query<{ end: string }>(
    mesh.databases.orders,
    `WITH term AS (SELECT until FROM orders.leases WHERE name = 'relay' FOR UPDATE)
     UPDATE orders.leases SET holder = 'nobody', until = now() + interval '5 minutes', term = leases.term + 1
     FROM term WHERE name = 'relay' RETURNING term.until::text AS end`,
  );
  const owed = async (): Promise<number> => {
    const late = 'SELECT count(*)::int AS count FROM orders.outbox WHERE created_at > $1';
    const [row] = await query<{ count: number }>(mesh.databases.orders, late, [term?.end]);
    return row?.count ?? 0;
  };
  await eventually(async () => {
    await place(mesh, productId);
    expect(await owed()).toBeGreaterThan(5);
  });
  await mesh.nats.kill();
  expect(await owed()).toBeGreaterThan(5);
  await query(mesh.databases.orders, `UPDATE orders.leases SET until = '-infinity' WHERE name = 'relay'`);
  // Nobody reaches NATS, so nobody takes the lease.
  const relay = `SELECT holder FROM orders.leases WHERE name = 'relay' AND until > now()`;
  expect(await query(mesh.databases.orders, relay)).toEqual([]);
  expect(await owed()).toBeGreaterThan(5);

  await mesh.nats.restart();
  await mesh.complete();
  const after = await eventually(
    async () => {
      const replies = await Promise.all(Array.from({ length: 20 }, () => place(mesh, productId)));
      expect(replies.map((reply) => reply.status)).toEqual(replies.map(() => 201));
      return replies;
    },
    { withinMs: 30_000 },
  );
  for (const { body } of after.slice(0, 10)) {
    expect((await http('PUT', `${mesh.url}/orders/${body.orderId}/ship`)).status).toBe(204);
    const parcel = `${mesh.url}/tracking/${body.trackingNumber}/events`;
    expect((await http('POST', parcel, { body: { status: 'DELIVERED' } })).status).toBe(201);
  }
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 30_000 });
  await eventually(async () => expect(await waiting()).toBe(0), { withinMs: 30_000 });
  const delivered = `SELECT count(*)::int AS count FROM orders.orders WHERE status = 'DELIVERED'`;
  await eventually(async () => expect(await query(mesh.databases.orders, delivered)).toEqual([{ count: 10 }]), {
    withinMs: 30_000,
  });
  await eventually(async () => expect(idsByKey(received)).toEqual(idsByKey(await written())), { withinMs: 30_000 });
  expect(received.filter((event) => event.type === 'order.delivered')).toHaveLength(10);
  expect(await imbalance(mesh)).toEqual([]);
}, 120_000);
