/** No call is lost to a dead node before it has begun: NATS reports at once that nobody is subscribed. */
import { beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import type { Reply } from '../support/http.ts';
import { openLoop } from '../support/open-loop.ts';
import { createProduct, getOrder, type Mesh, type OrderBody, place, startMesh, unfinished } from '../support/mesh.ts';

const PER_SECOND = 40;
const SECONDS = 6;
/** After so many requests the node is killed. */
const KILL_AT = 60;

let mesh: Mesh;
let productId: number;

beforeAll(async () => {
  mesh = await startMesh();
  productId = await createProduct(mesh, 'KILLED', 5, 1_000_000);
}, 90_000);

interface Sent {
  ms: number;
  reply: Reply<OrderBody>;
}

/** Sends one order, and retries once when told to, as an ordinary client does. */
async function order(): Promise<Sent> {
  const at = performance.now();
  let reply = await place(mesh, productId);
  const ms = performance.now() - at;
  if (reply.status === 503) reply = await place(mesh, productId);
  return { ms, reply };
}

test('kill -9 of one of two orders nodes delays no request, and fails hardly any', async () => {
  let killed: Promise<unknown> | undefined;
  const sent = await openLoop(PER_SECOND, SECONDS, (count) => {
    if (count === KILL_AT) killed = mesh.node('orders-1').kill('SIGKILL');
    return order();
  });
  await killed;
  expect(mesh.node('orders-1').running()).toBe(false);

  const slowest = Math.max(...sent.map(({ ms }) => ms));
  expect(slowest).toBeLessThan(2_500);
  const failed = sent.filter(({ reply }) => reply.status !== 201);
  expect(failed.length).toBeLessThanOrEqual(sent.length / 100);

  // No acknowledged order is lost, and what the dead node had begun is resumed.
  const ids = sent.flatMap(({ reply }) => (reply.body.orderId === undefined ? [] : [reply.body.orderId]));
  const statuses = await Promise.all(ids.map(async (id) => (await getOrder(mesh, id)).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 20_000 });
}, 60_000);

test('a service whose only node has died is known to be away at once', async () => {
  await mesh.node('tracking').kill('SIGKILL');
  const at = performance.now();
  const reply = await place(mesh, productId);
  expect(performance.now() - at).toBeLessThan(2_500);
  expect(reply).toMatchObject({ status: 201, body: { status: 'CONFIRMED', trackingNumber: null } });
}, 30_000);
