/** The mesh as it should be: an order through five processes, and a peer that is no part of Waybill. */
import { beforeAll, expect, test } from '@jest/globals';
import { IllegalTransition, NotFound, ValidationFailed } from '../../machines/shared/failure.ts';
import { InsufficientStock } from '../../machines/order/order.failures.ts';
import type { OrderView, PlacedOrder } from '../../services/orders/orders.types.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { createProduct, getOrder, imbalance, type Mesh, place, startMesh, unfinished } from '../support/mesh.ts';
import { query } from '../support/postgres.ts';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await startMesh();
}, 90_000);

/** Fails with what a promise is refused with, as an error of the class. */
async function refusalOf<E extends Error>(call: Promise<unknown>, kind: new (message: string) => E): Promise<E> {
  const error: unknown = await call.then(
    (answer) => new Error(`it was answered: ${JSON.stringify(answer)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof kind)) throw error;
  return error;
}

test('an order goes from POST to DELIVERED across five processes, the last step by an event of tracking', async () => {
  const productId = await createProduct(mesh, 'WALK', 19.99, 10);
  const placed = await place(mesh, productId, 3);
  expect([placed.status, placed.body.status, placed.body.totalPrice]).toEqual([201, 'CONFIRMED', 59.97]);
  const { orderId, trackingNumber } = placed.body;
  const stock = async () => (await http('GET', `${mesh.url}/inventory/${productId}`)).body;
  expect(await stock()).toMatchObject({ quantity: 10, reservedQuantity: 3, availableStock: 7 });

  expect((await http('PUT', `${mesh.url}/orders/${orderId}/ship`)).status).toBe(204);
  await eventually(async () => expect(await stock()).toMatchObject({ quantity: 7, reservedQuantity: 0 }));
  const arrived = { status: 'DELIVERED', location: 'Cork', signedBy: 'A. Lovelace' };
  expect((await http('POST', `${mesh.url}/tracking/${trackingNumber}/events`, { body: arrived })).status).toBe(201);
  await eventually(async () => expect((await getOrder(mesh, orderId)).body.status).toBe('DELIVERED'));

  const history = await http<{ to: string }[]>('GET', `${mesh.url}/orders/${orderId}/history`);
  const passed = history.body.map((entry) => entry.to).filter((status, i, all) => status !== all[i - 1]);
  expect(passed).toEqual(['PENDING_CHECK', 'CONFIRMED', 'SHIPPED', 'DELIVERED']);
  expect(await imbalance(mesh)).toEqual([]);
});

test('both order nodes take orders', async () => {
  const productId = await createProduct(mesh, 'BOTH', 1, 100);
  // Requests go round the nodes; which of them wrote an order is seen while the order has an owner.
  await query(
    mesh.databases.orders,
    `CREATE TABLE owners (owner text);
     CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN INSERT INTO public.owners VALUES (new.owner); RETURN new; END';
     CREATE TRIGGER note_owner AFTER INSERT ON orders.orders FOR EACH ROW EXECUTE FUNCTION note_owner()`,
  );
  const replies = await Promise.all(Array.from({ length: 10 }, () => place(mesh, productId)));
  expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 10 }, () => 201));
  const rows = await query(
    mesh.databases.orders,
    'SELECT owner, count(*)::int FROM owners GROUP BY owner ORDER BY owner',
  );
  expect(rows).toEqual([
    { owner: 'orders-1', count: 5 },
    { owner: 'orders-2', count: 5 },
  ]);
});

test('thirty buyers at once of five units: five orders are confirmed and 25 refused, over both nodes', async () => {
  const productId = await createProduct(mesh, 'RUSH', 5, 5);
  const replies = await Promise.all(Array.from({ length: 30 }, () => place(mesh, productId)));
  const byStatus = replies.map((reply) => `${reply.status} ${reply.body.status}`).toSorted();
  expect(byStatus).toEqual([
    ...Array.from({ length: 5 }, () => '201 CONFIRMED'),
    ...Array.from({ length: 25 }, () => '400 CANCELLED'),
  ]);
  await eventually(async () => expect(await unfinished(mesh)).toEqual([]));
  expect(await imbalance(mesh)).toEqual([]);
});

test('a peer broker places, reads and cancels orders by action, and gets typed results', async () => {
  const productId = await createProduct(mesh, 'PEER', 2.5, 10);
  const items = [{ productId, quantity: 4 }];
  const request = { customerId: 1, items, deliveryAddress: '2 Quay', carrier: 'DHL' };
  const { order, replayed }: PlacedOrder = await mesh.peer.call('orders.create', request);
  expect([order.status, order.totalPrice, replayed]).toEqual(['CONFIRMED', 10, false]);
  const read: { order: OrderView; etag: string } = await mesh.peer.call('orders.get', { id: order.orderNumber });
  expect(read.order).toMatchObject(order);
  expect(await mesh.peer.call('orders.cancel', { id: order.orderId })).toMatchObject({ status: 'CANCELLED' });
  await eventually(async () => {
    const product = await mesh.peer.call('inventory.get', { id: productId });
    expect(product).toMatchObject({ quantity: 10, reservedQuantity: 0 });
  });
});

test('failures reach a peer as the error classes of the registry, with their data', async () => {
  const productId = await createProduct(mesh, 'WRONG', 1, 1);
  const request = { customerId: 2, deliveryAddress: '3 Quay', carrier: 'DHL' };
  const none = await refusalOf(mesh.peer.call('orders.get', { id: 1 }), NotFound);
  expect(none).toMatchObject({ code: 404, name: 'NotFound' });

  const items = [{ productId, quantity: 2 }];
  const short = await refusalOf(mesh.peer.call('orders.create', { ...request, items }), InsufficientStock);
  expect(short.data).toMatchObject({ unavailableProducts: [productId], status: 'CANCELLED' });

  const faulty = await refusalOf(
    mesh.peer.call('orders.create', { ...request, items: [], colour: 'red' }),
    ValidationFailed,
  );
  expect(faulty.data.details).toEqual([
    expect.objectContaining({ field: 'items' }),
    expect.objectContaining({ field: 'colour', type: 'unknown' }),
  ]);

  const one = await mesh.peer.call<PlacedOrder, object>('orders.create', {
    ...request,
    items: [{ productId, quantity: 1 }],
  });
  await mesh.peer.call('orders.ship', { id: one.order.orderId });
  const late = await refusalOf(mesh.peer.call('orders.cancel', { id: one.order.orderId }), IllegalTransition);
  expect(late.data).toMatchObject({ status: 'SHIPPED' });
});
