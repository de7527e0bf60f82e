/** Streams in a mesh: the gateway tells what any node of orders did, also after one of them has died. */
import { beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { listen } from '../support/event-source.ts';
import { createProduct, type Mesh, place, startMesh, unfinished } from '../support/mesh.ts';

let mesh: Mesh;
let productId: number;

beforeAll(async () => {
  mesh = await startMesh();
  productId = await createProduct(mesh, 'STREAMED', 5, 1_000_000);
}, 90_000);

interface Entry {
  orderId: number;
  seq: number;
}

test('a stream outlives kill -9 of a node of orders: every entry of every order comes once and in order', async () => {
  const { messages, state } = listen<Entry>(`${mesh.url}/orders/events`);
  await eventually(() => expect(state()).toBe(1));
  const before = await Promise.all(Array.from({ length: 20 }, () => place(mesh, productId)));
  const during = Array.from({ length: 20 }, () => place(mesh, productId));
  await mesh.node('orders-1').kill('SIGKILL');
  const after = await Promise.all(Array.from({ length: 20 }, () => place(mesh, productId)));
  const replies = [...before, ...(await Promise.all(during)), ...after];
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 20_000 });
  const ids = replies.flatMap(({ body }) => body.orderId ?? []);
  expect(ids.length).toBeGreaterThanOrEqual(40);
  for (const id of ids) {
    const seqs = (): number[] => messages.filter(({ data }) => data.orderId === id).map(({ data }) => data.seq);
    await eventually(() => expect(seqs()).toEqual([1, 2]));
  }
}, 90_000);

test('SIGTERM of the gateway ends its streams in time', async () => {
  const streams = Array.from({ length: 10 }, () => listen(`${mesh.url}/orders/events`));
  await eventually(() => expect(streams.map(({ state }) => state())).toEqual(streams.map(() => 1)));
  const began = performance.now();
  expect(await mesh.node('api').stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(3_000);
}, 30_000);
