/** A stranger at NATS itself, who sees all packets and sends what he likes: none of it is taken for one of ours. */
import { beforeAll, expect, test } from '@jest/globals';
import { headers } from 'nats';
import {
  type ClosedMesh,
  type ClosedNode,
  createProduct,
  placeAs,
  startClosedMesh,
  startStranger,
} from '../support/closed-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { query } from '../support/postgres.ts';
import { ADMIN, bearer, STAFF } from '../support/tokens.ts';
import { requestOf, type SeenPacket, Wire } from '../support/wire.ts';

let mesh: ClosedMesh;
let wire: Wire;
let productId: number;

beforeAll(async () => {
  mesh = await startClosedMesh();
  wire = await Wire.tap(mesh.nats);
  productId = await createProduct(mesh, 'FORGED', 50);
}, 120_000);

const quantity = async (): Promise<number> => {
  const [row] = await query<{ quantity: number }>(
    mesh.databaseUrl,
    `SELECT quantity FROM inventory.products WHERE id = ${productId}`,
  );
  return row?.quantity ?? Number.NaN;
};

/** The log of a node: warnings go to another output than the rest. */
const logOf = (nodeID: ClosedNode): string => mesh.nodes[nodeID].lines.join('\n');

/** Waits until a node has handled all that the wire has sent to it: packets of one sender are handled in order. */
const handled = (nodeID: string): Promise<unknown> => wire.ask(nodeID, '$node.health', {});

/** A request of the gateway, as captured on the wire. */
async function addedStock(amount: number): Promise<SeenPacket> {
  expect((await mesh.as(ADMIN, 'POST', `/inventory/${productId}/addStock`, { amount })).status).toBe(200);
  return await wire.request('inventory.addStock', 'stock');
}

test('a replayed request is not executed', async () => {
  const seen = await addedStock(1);
  const before = await quantity();
  wire.send('REQ.stock', seen.raw);
  wire.send('REQ.stock', seen.raw);
  await handled('stock');
  expect(await quantity()).toBe(before);
  await eventually(() =>
    expect(logOf('stock')).toContain('Refused a packet of node api from NATS (REQ): it was received before'),
  );
});

test('a recorded request with a change is not executed', async () => {
  const seen = await addedStock(2);
  const before = await quantity();
  const changes = [
    seen.raw.replace('"amount":2', '"amount":9'),
    seen.raw.replace('"role":"admin"', '"role":"service"'),
    seen.raw.replace(seen.payload.id, '00000000-0000-4000-8000-000000000000'),
    seen.raw.replace(/"seal":"\d{16}/, `"seal":"${Date.now()}000`),
    seen.raw.replace('"seal":', '"seel":'),
    `${seen.raw.slice(0, -1)},"params":{"id":${productId},"amount":9}}`,
    `{"params":{"id":${productId},"amount":9},${seen.raw.slice(1)}`,
    ` ${seen.raw}`,
  ];
  for (const changed of changes) {
    expect(changed).not.toBe(seen.raw);
    const { id } = JSON.parse(changed) as { id: string };
    const answer = wire.answerTo(id, 'stock');
    wire.send('REQ.stock', changed);
    expect(await answer).toMatchObject({ success: false, error: { type: 'UNAUTHENTICATED' } });
  }
  expect(await quantity()).toBe(before);
});

test('a recorded request is not executed by another node', async () => {
  const placed = await placeAs(mesh, 1, productId);
  const { orderId } = placed.body;
  expect((await mesh.as(STAFF, 'PUT', `/orders/${orderId}/ship`)).status).toBe(204);
  const ship = await eventually(() => {
    const found = wire.seen.findLast(({ type, payload }) => type === 'REQ' && payload.action === 'orders.ship');
    if (!found) throw new Error('no request was seen');
    return found;
  });
  const other = ship.subject.endsWith('orders-1') ? 'orders-2' : 'orders-1';
  const answer = wire.answerTo(ship.payload.id, other);
  wire.send(`REQ.${other}`, ship.raw);
  expect(await answer).toMatchObject({ success: false, error: { type: 'UNAUTHENTICATED' } });
});

test('a refusal forged by a stranger does not end a call', async () => {
  // Every request of the gateway is asked again in its name and with its id, so that the node refuses the copy.
  const copies: Promise<unknown>[] = [];
  const spy = setInterval(() => {
    const fresh = wire.seen.filter(({ type, payload }) => type === 'REQ' && payload.sender === 'api');
    for (const { subject, payload } of fresh.slice(copies.length)) {
      const copy = { ...requestOf(payload.action as string, payload.params as object), sender: 'api', id: payload.id };
      copies.push(Promise.resolve(wire.send(subject.replace('MOL-waybill.', ''), copy)));
    }
  }, 1);
  try {
    for (let n = 0; n < 20; n++) expect((await placeAs(mesh, 3, productId)).status).toBe(201);
  } finally {
    clearInterval(spy);
  }
  expect(copies.length).toBeGreaterThanOrEqual(20);
});

test('a service that a stranger offers is not called', async () => {
  const stranger = await startStranger(mesh, 'impostor');
  const called: string[] = [];
  const answer = (name: string) => () => {
    called.push(name);
    return { success: true, message: 'reserved', unavailableProducts: [], items: [] };
  };
  stranger.createService({ name: 'inventory', actions: { reserve: answer('reserve'), get: answer('get') } });
  await eventually(() => {
    const offers = wire.seen.filter(({ type, payload }) => type === 'INFO' && payload.sender === 'impostor');
    expect(offers.some(({ raw }) => raw.includes('inventory.reserve'))).toBe(true);
  });
  await handled('orders-1');
  await handled('orders-2');
  for (let n = 0; n < 10; n++) expect((await placeAs(mesh, 4, productId)).status).toBe(201);
  expect(called).toEqual([]);
  expect(logOf('orders-1')).toContain('Refused a packet from NATS');
});

test('a stranger cannot announce that a node is gone', async () => {
  for (const sender of ['stock', 'orders-1', 'orders-2']) wire.send('DISCONNECT', { ver: '5', sender });
  wire.send('HEARTBEAT', { ver: '5', sender: 'ghost', cpu: 1 });
  await handled('orders-1');
  await handled('orders-2');
  for (let n = 0; n < 4; n++) expect((await placeAs(mesh, 5, productId)).status).toBe(201);
  const metrics = await http<string>('GET', `${mesh.nodes.api.url}/metrics`, { headers: await bearer(ADMIN) });
  expect(metrics.body).toMatch(/waybill_mesh_refused_total\{[^}]*packet="DISCONNECT"[^}]*reason="unsealed"[^}]*\} 3/);
});

test('a forged notice that a request reached nobody neither repeats the request nor drops its node', async () => {
  let forged = 0;
  wire.connection.subscribe('MOL-waybill.REQ.>', {
    callback: (_error, { data, reply }) => {
      if (!reply || !Buffer.from(data).toString().includes('"orders.create"')) return;
      forged++;
      wire.connection.publish(reply, undefined, { headers: headers(503, 'No Responders') });
    },
  });
  await wire.connection.flush();
  const customerId = 77_001;
  const replies = [];
  for (let i = 0; i < 10; i++) replies.push(await placeAs(mesh, customerId, productId));
  expect(forged).toBeGreaterThanOrEqual(10);
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 201));
  const placed = await query(mesh.databaseUrl, `SELECT id FROM orders.orders WHERE customer_id = ${customerId}`);
  expect(placed).toHaveLength(replies.length);
  expect(logOf('api')).not.toMatch(/Node 'orders-\d' disconnected/);
});
