/** Parts of the mesh die and come back: no order is lost, none is left behind, the books balance. */
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { createProduct, getOrder, imbalance, type Mesh, place, startMesh, unfinished } from '../support/mesh.ts';
import { query } from '../support/postgres.ts';

let mesh: Mesh;
let lastSku = 0;
beforeAll(async () => {
  mesh = await startMesh();
}, 90_000);

/** A node that met a peer's outage may have its breaker open for some seconds more. */
beforeEach(async () => {
  const productId = await newProduct();
  const taken = Array.from({ length: 4 }, () => ({ status: 201, body: { trackingNumber: expect.any(String) } }));
  await eventually(async () => expect(await placeMany(taken.length, productId)).toMatchObject(taken), {
    withinMs: 30_000,
  });
}, 60_000);

afterEach(async () => {
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]), { withinMs: 20_000 });
  expect(await imbalance(mesh)).toEqual([]);
}, 30_000);

const newProduct = (stock = 1_000): Promise<number> => createProduct(mesh, `SKU-${++lastSku}`, 12.34, stock);
const placeMany = (count: number, productId: number) =>
  Promise.all(Array.from({ length: count }, () => place(mesh, productId)));

/** Pending orders that this node works on now. */
async function pendingOf(node: string): Promise<number[]> {
  const sql = `SELECT id::float8 AS id FROM orders.orders WHERE status = 'PENDING_CHECK' AND owner = $1 AND due_at > now()`;
  return (await query<{ id: number }>(mesh.databases.orders, sql, [node])).map((row) => row.id);
}

/** Has inventory stand still; it goes on after the test at the latest. */
function suspendInventory(): void {
  mesh.node('inventory').signal('SIGSTOP');
  afterTheTest(() => mesh.node('inventory').signal('SIGCONT'));
}

const isConfirmed = async (orderId: number): Promise<void> => {
  const { body } = await getOrder(mesh, orderId);
  expect(body).toMatchObject({ status: 'CONFIRMED', trackingNumber: expect.stringMatching(/^TRK-/) });
};

test('with inventory killed, orders are answered 503 and kept; when it is back each is confirmed automatically', async () => {
  const productId = await newProduct();
  expect(await mesh.node('inventory').kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  const replies = await placeMany(30, productId);
  for (const { status, headers, body } of replies) {
    expect({ status, body }).toMatchObject({
      status: 503,
      body: {
        error: 'Service Unavailable',
        status: 'PENDING_CHECK',
        orderId: expect.any(Number),
        orderNumber: expect.stringMatching(/^ORD-/),
      },
    });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const ids = new Set(replies.map((reply) => reply.body.orderId));
  expect(ids.size).toBe(30);
  await mesh.restart('inventory');
  await Promise.all([...ids].map((id) => eventually(() => isConfirmed(id), { withinMs: 30_000 })));
  const [product] = await query(
    mesh.databases.inventory,
    'SELECT quantity::int, reserved_quantity::int FROM inventory.products WHERE id = $1',
    [productId],
  );
  expect(product).toEqual({ quantity: 1_000, reserved_quantity: 30 });
}, 90_000);

test('with tracking killed, orders are confirmed with a warning; their shipments are made when it is back', async () => {
  const productId = await newProduct();
  expect(await mesh.node('tracking').kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  const replies = await placeMany(5, productId);
  for (const { status, body } of replies) {
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { status: 'CONFIRMED', trackingNumber: null, warning: expect.any(String), totalPrice: 12.34 },
    });
  }
  await mesh.restart('tracking');
  await Promise.all(replies.map(({ body }) => eventually(() => isConfirmed(body.orderId), { withinMs: 30_000 })));
  const shipments = await query(
    mesh.databases.tracking,
    'SELECT FROM tracking.shipments WHERE order_id = ANY($1::bigint[])',
    [replies.map((reply) => reply.body.orderId)],
  );
  expect(shipments).toHaveLength(5);
}, 90_000);

test('an order node killed amid traffic loses no order: what it worked on is taken over within 10 s', async () => {
  const productId = await newProduct();
  const before = await placeMany(20, productId);
  expect(before.map((reply) => reply.status)).toEqual(before.map(() => 201));
  // Inventory stands still, so that every order of the node is in the middle of it when it dies.
  suspendInventory();
  const during = Array.from({ length: 20 }, () => place(mesh, productId));
  // What it holds when it dies; once it is dead, other nodes take that over within moments.
  const orphans = await eventually(async () => {
    const pending = await pendingOf('orders-1');
    expect(pending).not.toEqual([]);
    return pending;
  });
  expect(await mesh.node('orders-1').kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  const killedAt = performance.now();
  mesh.node('inventory').signal('SIGCONT');

  const confirmed = `SELECT count(*)::int AS count FROM orders.orders WHERE id = ANY($1::bigint[]) AND status = 'CONFIRMED'`;
  await eventually(
    async () => expect(await query(mesh.databases.orders, confirmed, [orphans])).toEqual([{ count: orphans.length }]),
    { withinMs: 10_000 - (performance.now() - killedAt) },
  );
  await mesh.restart('orders-1');
  const answered = [...before, ...(await Promise.all(during))].filter((reply) => reply.body.orderId !== undefined);
  // Those on the other node were answered; those on the dead one may end without an order's number.
  expect(answered.length).toBeGreaterThanOrEqual(before.length);
  for (const { body } of answered) await eventually(() => isConfirmed(body.orderId));
}, 90_000);

test('a stopped order node finishes what is in flight and exits 0 within 10 s; nobody gets an error', async () => {
  const productId = await newProduct();
  suspendInventory();
  const replies = Array.from({ length: 20 }, () => place(mesh, productId));
  await eventually(async () => expect(await pendingOf('orders-2')).not.toEqual([]));
  const began = performance.now();
  const end = mesh.node('orders-2').stop();
  mesh.node('inventory').signal('SIGCONT');
  expect(await end).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual(Array.from({ length: 20 }, () => 201));
  expect(await pendingOf('orders-2')).toEqual([]);
  await mesh.restart('orders-2');
}, 60_000);
