/** The configuration of docs/operate/nats-server.conf: enough for the engine and for a reader, and no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { AckPolicy, connect, type NatsConnection } from 'nats';
import { joinMesh } from '../support/broker.ts';
import { type ClosedMesh, createProduct, placeAs, startClosedMesh, statusOf } from '../support/closed-mesh.ts';
import { afterTheFile } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { bearer, customer, STAFF } from '../support/tokens.ts';
import { ROOT } from '../support/process/project.ts';

const STREAM = 'WAYBILL-WAYBILL';
const PASSWORDS = {
  NATS_ENGINE_PASSWORD: 'forEngine',
  NATS_SHOP_PASSWORD: 'forShop',
  NATS_READER_PASSWORD: 'forReader',
};
/** The folder of the store is the test's own. */
const config = readFileSync(join(ROOT, 'docs/operate/nats-server.conf'), 'utf8').replace(/store_dir: "[^"]*"/, '');

const asEngine = (url: string): string => url.replace('://', `://engine:${PASSWORDS.NATS_ENGINE_PASSWORD}@`);

let mesh: ClosedMesh;

/** The subjects that a user asked for and may not use. NATS 2.9 and 2.15 write these lines differently. */
const violations = (user: string): string[] =>
  mesh.nats
    .log()
    .split('\n')
    .filter((line) => line.includes(`Violation - User "${user}"`) || line.includes(`user:${user}" - `))
    .flatMap((line) => /Violation - .*Subject "([^"]*)"/.exec(line)?.[1] ?? []);
let reader: NatsConnection;
let productId: number;
let orderId: number;

beforeAll(async () => {
  mesh = await startClosedMesh({ config, env: PASSWORDS }, (url) => ({ TRANSPORTER: asEngine(url) }));
  reader = await connect({
    servers: mesh.nats.url,
    user: 'reader',
    pass: PASSWORDS.NATS_READER_PASSWORD,
    inboxPrefix: '_INBOX.reader',
    timeout: 2_000,
  });
  afterTheFile(() => reader.close());
  productId = await createProduct(mesh, 'PERMITTED', 10);
  orderId = await delivered();
  const manager = await reader.jetstreamManager();
  await manager.consumers.add(STREAM, { durable_name: 'reader', ack_policy: AckPolicy.Explicit });
}, 120_000);

/** An order that goes all its way. */
async function delivered(): Promise<number> {
  const { body } = await placeAs(mesh, 1, productId);
  expect((await mesh.as(STAFF, 'PUT', `/orders/${body.orderId}/ship`)).status).toBe(204);
  const arrival = { status: 'DELIVERED' };
  expect((await mesh.as(STAFF, 'POST', `/tracking/${body.trackingNumber}/events`, arrival)).status).toBe(201);
  await eventually(async () => expect(await statusOf(mesh, body.orderId)).toBe('DELIVERED'));
  return body.orderId;
}

test('an order goes through its whole life, and NATS forbids nothing', async () => {
  const before = mesh.nats.log().length;
  await delivered();
  expect(mesh.nats.log().slice(before)).not.toMatch(/violation/i);
  for (const node of Object.values(mesh.nodes)) expect(node.stderr.join('\n')).not.toContain('NATS refuses');
});

test('a peer calls actions with a token, and sees only its own calls', async () => {
  const login = { servers: mesh.nats.url, user: 'shop', pass: PASSWORDS.NATS_SHOP_PASSWORD };
  const shop = await joinMesh('shop-1', { type: 'NATS', options: login });
  await shop.waitForServices(['orders', 'inventory'], 20_000);
  const meta = { token: (await bearer(customer(1))).Authorization.replace('Bearer ', '') };
  expect(await shop.call('orders.search', {}, { meta })).toMatchObject({
    orders: expect.arrayContaining([expect.objectContaining({ orderId, status: 'DELIVERED' })]),
  });
  expect(violations('shop')).toEqual([]);

  const ear = await connect(login);
  afterTheFile(() => ear.close());
  for (const subject of ['MOL-waybill.>', 'MOL-waybill.REQ.*', 'MOL-waybill.RES.api', 'waybill-waybill.>']) {
    ear.subscribe(subject, { callback: () => undefined });
    await eventually(() => expect(violations('shop')).toContain(subject));
  }
});

test('the reader reads every event', async () => {
  const consumer = await reader.jetstream().consumers.get(STREAM, 'reader');
  const types = new Set<string>();
  await eventually(async () => {
    for await (const message of await consumer.fetch({ max_messages: 100, expires: 1_000 })) {
      types.add(message.json<{ type: string }>().type);
      message.ack();
    }
    expect([...types]).toEqual(expect.arrayContaining(['order.created', 'order.delivered', 'shipment.updated']));
  });
});

test('the reader can publish nothing, and see or change nothing else', async () => {
  const refused: string[] = [];
  void (async () => {
    for await (const { permissionContext } of reader.status()) {
      if (permissionContext) refused.push(`${permissionContext.operation} ${permissionContext.subject}`);
    }
  })();
  const manager = await reader.jetstreamManager();
  const before = await manager.consumers.info(STREAM, 'reader');
  await expect(manager.streams.purge(STREAM)).rejects.toThrow('Permissions Violation');
  await expect(manager.streams.delete(STREAM)).rejects.toThrow('Permissions Violation');
  await expect(manager.streams.getMessage(STREAM, { seq: 1 })).rejects.toThrow('Permissions Violation');
  await expect(manager.consumers.delete(STREAM, 'orders')).rejects.toThrow('Permissions Violation');
  await expect(manager.consumers.info(STREAM, 'orders')).rejects.toThrow('Permissions Violation');
  const published = ['MOL-waybill.REQ.stock', 'waybill-waybill.shipment.updated.1', '$JS.ACK.WAYBILL-WAYBILL.orders.1'];
  for (const subject of published) reader.publish(subject, '{}');
  const listened = ['MOL-waybill.>', '_INBOX.waybill.>', 'waybill-waybill.>', '>'];
  for (const subject of listened) reader.subscribe(subject, { callback: () => undefined });
  await reader.flush();
  await eventually(() => {
    expect(refused).toEqual(expect.arrayContaining(published.map((subject) => `publish ${subject}`)));
    expect(refused).toEqual(expect.arrayContaining(listened.map((subject) => `subscription ${subject}`)));
  });
  const after = await manager.consumers.info(STREAM, 'reader');
  expect(after.num_pending + after.delivered.stream_seq).toBe(before.num_pending + before.delivered.stream_seq);
});

test('what the reader makes NATS send to other subjects is accepted by no node', async () => {
  const admin = { headers: await bearer(STAFF) };
  const { body: orders } = await mesh.as(STAFF, 'GET', '/orders');
  // Its creation is an event: there is something to pull.
  await createProduct(mesh, 'COPIED', 1);
  const pull = `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.reader`;
  reader.publish(pull, '{"batch":1}', { reply: 'MOL-waybill.REQ.api' });
  await eventually(async () => {
    const { body } = await http<string>('GET', `${mesh.nodes.api.url}/metrics`, admin);
    expect(body).toMatch(/waybill_mesh_refused_total\{[^}]*packet="REQ"[^}]*reason="malformed"[^}]*\} 1/);
  });
  reader.publish('$JS.API.INFO', '', { reply: 'waybill-waybill.shipment.updated.1' });
  await eventually(() => {
    const said = (['orders-1', 'orders-2'] as const).flatMap((nodeID) => mesh.nodes[nodeID].stderr).join('\n');
    expect(said).toMatch(/Consumer orders discards message \d+ of the stream: it lacks a valid seal of this mesh/);
  });
  expect((await mesh.as(STAFF, 'GET', '/orders')).body).toEqual(orders);
});
