/** Streams of history, followed by a real EventSource: each entry once, resumed without a gap, and over when nothing can follow. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bodyOf, type Engine, hang, startEngine } from '../support/engine.ts';
import { listen } from '../support/event-source.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { bearer, customer, SECRET, STAFF } from '../support/tokens.ts';

const CLOSED = 2;

let engine: Engine;
let product: number;

beforeAll(async () => {
  engine = await startEngine({ env: { STREAMS_PER_CALLER: '3' } });
  product = await engine.product({ stock: 10_000 });
});
afterAll(() => engine.stop());

const urlOf = (path: string, at = engine): string => `http://127.0.0.1:${at.port}/api/v1${path}`;

/** Opens a stream without a client that reconnects. */
async function open(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [answer] = (await once(get(urlOf(path), { headers }), 'response')) as [IncomingMessage];
  afterTheTest(() => answer.destroy());
  return answer;
}

test('the stream of an order has every entry of its history, as in the history, and then ends for good', async () => {
  const { orderId, orderNumber } = await engine.confirmed(product);
  const { messages, state } = listen(urlOf(`/orders/${orderNumber}/events`));
  await eventually(() => expect(messages.map(({ event }) => event)).toEqual(['PLACE', 'SECURED']));
  await engine.command('ship', orderId);
  await eventually(() => expect(messages.map(({ event }) => event).slice(2, 4)).toEqual(['SHIP', 'STOCK_CONSUMED']), {
    withinMs: 2_000,
  });
  await engine.command('deliver', orderId);
  await eventually(() => expect(state()).toBe(CLOSED));
  const history = await engine.history(orderId);
  expect(messages.map(({ id, event, data }) => ({ id, event, data }))).toEqual(
    history.map((entry) => ({
      id: String(entry.seq),
      event: entry.event,
      data: { ...entry, orderId, orderNumber, status: entry.to },
    })),
  );
  expect((await http('GET', urlOf(`/orders/${orderId}/events`), { headers: { 'Last-Event-ID': '5' } })).status).toBe(
    204,
  );
});

test('an order that is delivered or cancelled and still owes work keeps its stream open until that is done', async () => {
  engine.disturb('inventory.release', hang);
  const { orderId } = await engine.confirmed(product);
  await engine.command('cancel', orderId);
  const { messages, state } = listen(urlOf(`/orders/${orderId}/events`));
  await eventually(() => expect(messages.map(({ event }) => event)).toContain('CANCEL'));
  expect(state()).not.toBe(CLOSED);
  engine.disturb('inventory.release', undefined);
  await engine.send('POST', `/orders/${orderId}/retry`);
  await eventually(() => expect(messages.map(({ event }) => event)).toContain('STOCK_RELEASED'));
  await eventually(() => expect(state()).toBe(CLOSED));
});

test('the stream of an order outlives the timeout of the request that opened it', async () => {
  const { orderId } = await engine.confirmed(product);
  const timeout = 300;
  const opened = performance.now();
  const stream = await engine.broker.call<Readable, object>('api.orderEvents', { id: orderId }, { timeout });
  afterTheTest(() => stream.destroy());
  let text = '';
  const ended = once(
    stream.on('data', (chunk: Buffer) => (text += chunk.toString())),
    'end',
  );
  await eventually(() => expect(performance.now() - opened).toBeGreaterThan(2 * timeout));
  await engine.command('cancel', orderId);
  await ended;
  const events = [...text.matchAll(/^event: (.*)$/gm)].map(([, event]) => event);
  expect(events).toEqual((await engine.history(orderId)).map(({ event }) => event));
}, 20_000);

test('rows that are too old to be resumed from are deleted, however many there are', async () => {
  const old = `INSERT INTO orders.feed (at, order_ids, seqs) SELECT now() - interval '80 minutes', '{1}', '{1}' FROM generate_series(1, 10001)`;
  await engine.rows(old);
  const { feed } = engine.broker.getLocalService('orders') as unknown as { feed: { prune(): Promise<boolean> } };
  expect([await feed.prune(), await feed.prune()]).toEqual([true, false]);
  expect(await engine.rows(`SELECT FROM orders.feed WHERE at < now() - interval '75 minutes'`)).toEqual([]);
});

test('Last-Event-ID resumes an order after that entry, and one that does not exist is 404', async () => {
  const { orderId } = await engine.confirmed(product);
  const { messages } = listen(urlOf(`/orders/${orderId}/events`), { 'Last-Event-ID': '1' });
  await eventually(() => expect(messages.map(({ id }) => id)).toEqual(['2']));
  expect((await http('GET', urlOf('/orders/4711/events'))).status).toBe(404);
  const bad = await http('GET', urlOf(`/orders/${orderId}/events`), { headers: { 'Last-Event-ID': 'x' } });
  expect(bad.status).toBe(400);
});

test('the stream of all orders begins now, has each entry once and in order, and is resumed without a gap or a repeat', async () => {
  await engine.confirmed(product);
  const first = listen<{ orderId: number; seq: number }>(urlOf('/orders/events'));
  await eventually(() => expect(first.state()).toBe(1));
  const placed = await Promise.all(Array.from({ length: 30 }, () => engine.confirmed(product)));
  const ids = new Set(placed.map(({ orderId }) => orderId));
  await eventually(() => expect(first.messages).toHaveLength(60), { withinMs: 3_000 });
  first.close();
  expect(new Set(first.messages.map(({ data }) => data.orderId))).toEqual(ids);
  for (const id of ids) {
    expect(first.messages.filter(({ data }) => data.orderId === id).map(({ data }) => data.seq)).toEqual([1, 2]);
  }
  // Resumed in the middle, even in the middle of one transaction, at another node of the same database.
  const other = await startEngine({ databaseUrl: engine.databaseUrl, nodeID: 'engine-2' });
  for (const nth of [0, 7, 31, 58]) {
    const resumed = listen(urlOf('/orders/events', other), { 'Last-Event-ID': first.messages[nth]?.id as string });
    await eventually(() => expect(resumed.messages).toEqual(first.messages.slice(nth + 1)));
    resumed.close();
  }
  await other.stop();
});

test('entries that are committed while a stream is away are there when it comes back', async () => {
  const away = listen(urlOf('/orders/events'));
  await engine.confirmed(product);
  await eventually(() => expect(away.messages).toHaveLength(2));
  away.close();
  const missed = await engine.confirmed(product);
  const back = listen<{ orderId: number }>(urlOf('/orders/events'), {
    'Last-Event-ID': away.messages[1]?.id as string,
  });
  await eventually(() =>
    expect(back.messages.map(({ data }) => data.orderId)).toEqual([missed.orderId, missed.orderId]),
  );
});

test('a transaction that commits late is not skipped', async () => {
  const { messages } = listen<{ orderId: number; event: string }>(urlOf('/orders/events'));
  const late = await engine.confirmed(product);
  await eventually(() => expect(messages).toHaveLength(2));
  // An older transaction has written its row of the feed and not committed: whatever is newer waits for it.
  const hold = engine.rows(
    `WITH old AS (INSERT INTO orders.feed (order_ids, seqs) VALUES (ARRAY[${late.orderId}]::bigint[], '{1}') RETURNING 1)
     SELECT pg_sleep(1.5) FROM old`,
  );
  await eventually(async () =>
    expect(
      await engine.rows(`SELECT FROM pg_stat_activity WHERE query LIKE 'WITH old%' AND backend_xid IS NOT NULL`),
    ).toHaveLength(1),
  );
  const newer = await engine.confirmed(product);
  await hold;
  await eventually(() => expect(messages).toHaveLength(5), { withinMs: 3_000 });
  expect(messages.slice(2).map(({ data }) => data.orderId)).toEqual([late.orderId, newer.orderId, newer.orderId]);
});

test('a position that is too old begins with a gap, and one that no stream has named is refused', async () => {
  const { messages } = listen(urlOf('/orders/events'), { 'Last-Event-ID': '1-1-1-1000' });
  await eventually(() => expect(messages.map(({ event }) => event)).toEqual(['gap']));
  await engine.confirmed(product);
  await eventually(() => expect(messages.map(({ event }) => event)).toEqual(['gap', 'PLACE', 'SECURED']));
  const bad = await http('GET', urlOf('/orders/events'), { headers: { 'Last-Event-ID': 'yesterday' } });
  expect(bad.status).toBe(400);
});

test('status and customerId choose', async () => {
  const body = { ...bodyOf(product), customerId: 4_242 };
  const confirmedOnly = listen(urlOf('/orders/events?status=CONFIRMED,SHIPPED&customerId=4242'));
  const others = listen(urlOf('/orders/events?customerId=4243'));
  await eventually(() => expect([confirmedOnly.state(), others.state()]).toEqual([1, 1]));
  await engine.post(body);
  await engine.confirmed(product);
  await eventually(() => expect(confirmedOnly.messages.map(({ event }) => event)).toEqual(['SECURED']));
  expect(others.messages).toEqual([]);
});

test('a caller may have a number of streams open; one that is closed makes room', async () => {
  const streams = await Promise.all([1, 2, 3].map(() => open('/orders/events')));
  expect(streams.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  const refused = await http('GET', urlOf('/orders/events'));
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  streams[0]?.destroy();
  await eventually(async () => expect((await open('/orders/events')).statusCode).toBe(200));
});

test('customers follow their own orders only', async () => {
  const guarded = await startEngine({ env: { AUTH_JWT_SECRET: SECRET } });
  const item = await guarded.product();
  const [ada, bob, staff] = await Promise.all([bearer(customer(1)), bearer(customer(2)), bearer(STAFF)]);
  const streams = [ada, bob, staff].map((headers) =>
    listen<{ orderId: number }>(urlOf('/orders/events', guarded), headers),
  );
  await eventually(() => expect(streams.map(({ state }) => state())).toEqual([1, 1, 1]));
  const { body: hers } = await guarded.post({ ...bodyOf(item), customerId: 1 }, ada);
  await eventually(() => expect(streams[0]?.messages).toHaveLength(2));
  await eventually(() => expect(streams[2]?.messages).toHaveLength(2));
  expect(streams[1]?.messages).toEqual([]);
  const asked = [ada, bob, {}].map((headers) =>
    http('GET', urlOf(`/orders/${hers.orderId}/events`, guarded), { headers: { ...headers, 'Last-Event-ID': '9' } }),
  );
  const [own, others, nobody] = await Promise.all(asked.slice(1));
  expect([own?.status, others?.status, nobody]).toEqual([404, 401, undefined]);
  await guarded.stop();
});
