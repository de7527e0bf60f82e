/** A node of orders that is cut off from NATS, but not from its database, takes up nothing that it could not carry on. */
import { beforeAll, expect, test } from '@jest/globals';
import { Proxy } from '../support/process/proxy.ts';
import { eventually } from '../support/eventually.ts';
import { afterTheFile } from '../support/endings.ts';
import { createProduct, getOrder, type Mesh, place, startMesh } from '../support/mesh.ts';
import { query } from '../support/postgres.ts';
import { startWaybill } from '../support/waybill.ts';

let mesh: Mesh;
let productId: number;
/** What the node reaches NATS through. */
let proxy: Proxy;

beforeAll(async () => {
  mesh = await startMesh();
  productId = await createProduct(mesh, 'CUT', 5, 1_000);
  proxy = await Proxy.listen(() => Number(new URL(mesh.nats.url).port));
  afterTheFile(() => proxy.close());
  const env = {
    NODEID: 'orders-3',
    TRANSPORTER: `nats://127.0.0.1:${proxy.port}`,
    ORDERS_DATABASE_URL: mesh.databases.orders,
    ORDER_MAX_ATTEMPTS: '2',
  };
  await startWaybill({ services: 'orders', env });
  // It is the only one: whatever is taken up is taken up by it.
  await Promise.all([mesh.node('orders-1').kill('SIGKILL'), mesh.node('orders-2').kill('SIGKILL')]);
}, 120_000);

interface Work {
  owner: string | null;
  attempt: number;
  parked_at: Date | null;
}

const workOf = async (orderId: number): Promise<Work | undefined> =>
  (
    await query<Work & Record<string, unknown>>(
      mesh.databases.orders,
      'SELECT owner, attempt, parked_at FROM orders.orders WHERE id = $1',
      [orderId],
    )
  )[0];

test('owed orders use up no attempts on a cut-off node, and continue when its link is restored', async () => {
  const placed = await eventually(async () => {
    const reply = await place(mesh, productId);
    expect(reply.status).toBe(201);
    return reply.body;
  });
  expect(proxy.falterOpen()).toBeGreaterThan(0);
  // It owes its stock now, as an order of a node that has just died does.
  await query(
    mesh.databases.orders,
    `UPDATE orders.orders SET status = 'SHIPPED', stock_state = 'consuming', due_at = now(), waiting_since = now() WHERE id = $1`,
    [placed.orderId],
  );
  // Some attempts may be in progress until the cut is noticed; after that nothing takes the order up.
  const untouched = async (): Promise<void> => {
    const before = await workOf(placed.orderId);
    expect(before?.owner).toBeNull();
    await expect(
      eventually(async () => expect(await workOf(placed.orderId)).not.toEqual(before), { withinMs: 3_000 }),
    ).rejects.toThrow();
  };
  await eventually(untouched, { withinMs: 25_000 });
  expect((await workOf(placed.orderId))?.parked_at).toBeNull();

  proxy.heal('reset');
  await eventually(async () => expect((await workOf(placed.orderId))?.owner).toBeNull(), { withinMs: 20_000 });
  await eventually(
    async () => {
      const [row] = await query<{ stock_state: string }>(
        mesh.databases.orders,
        'SELECT stock_state FROM orders.orders WHERE id = $1',
        [placed.orderId],
      );
      expect(row?.stock_state).toBe('consumed');
    },
    { withinMs: 40_000 },
  );
  expect((await getOrder(mesh, placed.orderId)).body.status).toBe('SHIPPED');
}, 120_000);
