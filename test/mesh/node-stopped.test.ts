/** A node that hangs is noticed within two seconds: calls go to other nodes, and its orders are taken over. */
import { beforeAll, expect, test } from '@jest/globals';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { http, type Reply } from '../support/http.ts';
import {
  createProduct,
  imbalance,
  type Mesh,
  type NodeName,
  type OrderBody,
  place,
  startMesh,
  unfinished,
} from '../support/mesh.ts';
import { openLoop } from '../support/open-loop.ts';
import { query } from '../support/postgres.ts';

const PER_SECOND = 40;
const SECONDS = 6;
/** After so many requests the node is stopped. */
const STOP_AT = 60;
const SLOWEST_MS = 2_500;

let mesh: Mesh;
let productId: number;

beforeAll(async () => {
  mesh = await startMesh();
  productId = await createProduct(mesh, 'STOPPED', 5, 1_000_000);
}, 90_000);

/** Stops a node as a suspended machine would, and wakes it after the test. */
function suspend(name: NodeName): void {
  mesh.node(name).signal('SIGSTOP');
  afterTheTest(() => mesh.node(name).signal('SIGCONT'));
}

interface Sent {
  ms: number[];
  reply: Reply<OrderBody>;
}

/** Sends a request, and repeats it once when told to, as an ordinary client does. */
async function once(send: () => Promise<Reply<OrderBody>>): Promise<Sent> {
  const ms: number[] = [];
  const timed = async (): Promise<Reply<OrderBody>> => {
    const at = performance.now();
    const reply = await send();
    ms.push(performance.now() - at);
    return reply;
  };
  let reply = await timed();
  if (reply.status === 503 || reply.status === 409) reply = await timed();
  return { ms, reply };
}

const slowest = (sent: readonly Sent[]): number => Math.max(...sent.flatMap(({ ms }) => ms));
const idsOf = (sent: readonly Sent[]): number[] => sent.flatMap(({ reply }) => reply.body.orderId ?? []);

test('a node of orders that is stopped delays no request by more than two seconds, and its orders are taken over', async () => {
  let stoppedAt = 0;
  const sent = await openLoop(PER_SECOND, SECONDS, (count) => {
    if (count === STOP_AT) {
      stoppedAt = performance.now();
      suspend('orders-1');
    }
    return once(() => place(mesh, productId));
  });
  expect(stoppedAt).toBeGreaterThan(0);
  expect(slowest(sent)).toBeLessThan(SLOWEST_MS);
  const failed = sent.filter(({ reply }) => reply.status !== 201);
  expect(failed.length).toBeLessThanOrEqual(sent.length / 100);
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 5_000 });

  mesh.node('orders-1').signal('SIGCONT');
  // It wakes up with requests in hand that were answered by 503: whatever it does with them, the books stay in balance.
  await mesh.complete();
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 20_000 });
  await eventually(async () => expect(await imbalance(mesh)).toEqual([]), { withinMs: 10_000 });
}, 60_000);

test('a placement with a key that a stopped node has in hand is repeated on another one, and placed once', async () => {
  suspend('orders-2');
  const at = performance.now();
  const keys = Array.from({ length: 20 }, (_unused, i) => `stopped-${i}`);
  const sent = await Promise.all(
    keys.map((key, i) =>
      once(() =>
        http<OrderBody>('POST', `${mesh.url}/orders`, {
          body: { customerId: 500 + i, items: [{ productId, quantity: 1 }], deliveryAddress: '1 Quay', carrier: 'DHL' },
          headers: { 'Idempotency-Key': key },
        }),
      ),
    ),
  );
  expect(performance.now() - at).toBeGreaterThan(500);
  expect(slowest(sent)).toBeLessThan(SLOWEST_MS);
  expect(sent.filter(({ reply }) => reply.status !== 201)).toEqual([]);
  mesh.node('orders-2').signal('SIGCONT');
  await mesh.complete();
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 20_000 });
  const placed = await query<{ count: number }>(
    mesh.databases.orders,
    'SELECT count(*)::int AS count FROM orders.orders WHERE customer_id BETWEEN 500 AND 519',
  );
  expect([placed, new Set(idsOf(sent)).size]).toEqual([[{ count: keys.length }], keys.length]);
}, 60_000);

test('reads and commands that a stopped node has in hand are repeated on another one', async () => {
  const { body } = await place(mesh, productId);
  suspend('orders-1');
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => once(() => http('GET', `${mesh.url}/orders/${body.orderId}`))),
  );
  expect([new Set(replies.map(({ reply }) => reply.status)), slowest(replies) < SLOWEST_MS]).toEqual([
    new Set([200]),
    true,
  ]);
  expect(replies.filter(({ ms }) => ms.length > 1)).toEqual([]);
}, 60_000);

test('while the only node of tracking is stopped, orders are CONFIRMED with a warning, each within two and a half seconds', async () => {
  await mesh.complete();
  suspend('tracking');
  const sent = await openLoop(10, 3, () => once(() => place(mesh, productId)));
  expect(slowest(sent)).toBeLessThan(SLOWEST_MS);
  const statuses = new Set(sent.map(({ reply }) => `${reply.status} ${reply.body.status}`));
  expect(statuses).toEqual(new Set(['201 CONFIRMED']));
  mesh.node('tracking').signal('SIGCONT');
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 20_000 });
}, 60_000);

test('a gateway that was stopped itself drops nobody when it wakes up', async () => {
  await mesh.complete();
  const said = (name: NodeName): string => mesh.node(name).lines.join('\n');
  const dropped = (): number => said('api').split('has not answered').length;
  const before = dropped();
  suspend('api');
  await eventually(() => expect(said('orders-1')).toContain('Node api has not answered'));
  mesh.node('api').signal('SIGCONT');
  const sent = await openLoop(PER_SECOND, 2, () => place(mesh, productId));
  expect(sent.filter(({ status }) => status !== 201)).toEqual([]);
  expect(dropped()).toBe(before);
}, 60_000);
