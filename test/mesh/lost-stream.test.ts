/** A NATS server loses its disk, and with it events that were published and not handled: their consumers catch up. */
import { beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { createProduct, getOrder, type Mesh, place, startMesh } from '../support/mesh.ts';
import { query } from '../support/postgres.ts';

const ORDERS = ['orders-1', 'orders-2'] as const;

let mesh: Mesh;
let productId: number;

beforeAll(async () => {
  mesh = await startMesh();
  productId = await createProduct(mesh, 'LOST', 5, 1_000);
}, 90_000);

const statusOf = async (orderId: number): Promise<string> => (await getOrder(mesh, orderId)).body.status;

const shipmentStatusOf = async (orderId: number): Promise<string | undefined> =>
  (
    await query<{ status: string }>(
      mesh.databases.tracking,
      'SELECT status FROM tracking.shipments WHERE order_id = $1',
      [orderId],
    )
  )[0]?.status;

const waitingAt = async (schema: 'orders' | 'tracking'): Promise<number | undefined> =>
  (await query<{ count: number }>(mesh.databases[schema], `SELECT count(*)::int AS count FROM ${schema}.outbox`))[0]
    ?.count;

async function shipped(): Promise<{ orderId: number; trackingNumber: string }> {
  const { status, body } = await place(mesh, productId);
  expect(status).toBe(201);
  expect((await http('PUT', `${mesh.url}/orders/${body.orderId}/ship`)).status).toBe(204);
  await eventually(async () => expect(await shipmentStatusOf(body.orderId)).toBe('SHIPPED'));
  return { orderId: body.orderId, trackingNumber: body.trackingNumber as string };
}

async function reportDelivery(trackingNumber: string): Promise<void> {
  const reply = await http('POST', `${mesh.url}/tracking/${trackingNumber}/events`, { body: { status: 'DELIVERED' } });
  expect(reply.status).toBe(201);
}

test('a delivery that existed only in the lost stream still makes its order DELIVERED', async () => {
  // The consumer of orders has handled an event before.
  const earlier = await shipped();
  await reportDelivery(earlier.trackingNumber);
  await eventually(async () => expect(await statusOf(earlier.orderId)).toBe('DELIVERED'));

  const order = await shipped();
  for (const name of ORDERS) await mesh.node(name).kill('SIGKILL');
  await reportDelivery(order.trackingNumber);
  await eventually(async () => expect(await waitingAt('tracking')).toBe(0));
  await mesh.nats.restartWithoutDisk();
  for (const name of ORDERS) await mesh.restart(name);
  await eventually(async () => expect(await statusOf(order.orderId)).toBe('DELIVERED'), { withinMs: 30_000 });
}, 120_000);

test('an order whose SHIPPED event is lost with the stream is still recorded by tracking, and later events flow', async () => {
  const { status, body } = await place(mesh, productId);
  expect(status).toBe(201);
  await mesh.node('tracking').kill('SIGKILL');
  expect((await http('PUT', `${mesh.url}/orders/${body.orderId}/ship`)).status).toBe(204);
  await eventually(async () => expect(await waitingAt('orders')).toBe(0));
  await mesh.nats.restartWithoutDisk();
  await mesh.restart('tracking');
  await eventually(async () => expect(await shipmentStatusOf(body.orderId)).toBe('SHIPPED'), { withinMs: 30_000 });

  await reportDelivery(body.trackingNumber as string);
  await eventually(async () => expect(await statusOf(body.orderId)).toBe('DELIVERED'), { withinMs: 20_000 });
}, 120_000);
