/** A stranger in the mesh: a broker that has the address of NATS, and no secret of ours. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ServiceBroker } from 'moleculer';
import { Forbidden, Unauthenticated } from '../../mixins/auth/auth.failures.ts';
import { NotFound } from '../../machines/shared/failure.ts';
import type { Caller } from '../../mixins/auth/caller.ts';
import {
  type ClosedMesh,
  type ClosedNode,
  createProduct,
  placeAs,
  startClosedMesh,
  startStranger,
  statusOf,
} from '../support/closed-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { query } from '../support/postgres.ts';
import { bearer, customer, STAFF } from '../support/tokens.ts';
import { requestOf, Wire } from '../support/wire.ts';

let mesh: ClosedMesh;
let stranger: ServiceBroker;
let productId: number;
let orderId: number;

beforeAll(async () => {
  // At this level every request is logged.
  mesh = await startClosedMesh({}, () => ({ LOGLEVEL: 'debug' }));
  stranger = await startStranger(mesh);
  productId = await createProduct(mesh, 'STRANGE', 50);
  const placed = await placeAs(mesh, 7, productId);
  expect(placed.body).toMatchObject({ status: 'CONFIRMED' });
  orderId = placed.body.orderId;
}, 120_000);

const countOrders = () => query<{ count: number }>(mesh.databaseUrl, 'SELECT count(*)::int FROM orders.orders');
const tokenOf = async (caller: Caller): Promise<string> => (await bearer(caller)).Authorization.replace('Bearer ', '');
const logOf = (nodeID: ClosedNode): string => mesh.nodes[nodeID].lines.join('\n');
const order = () => ({ customerId: 7, items: [{ productId, quantity: 1 }], deliveryAddress: '2 Quay', carrier: 'DHL' });

describe('without a token', () => {
  test.each<[string, () => object]>([
    ['orders.create', order],
    ['orders.get', () => ({ id: orderId })],
    ['orders.ship', () => ({ id: orderId })],
    ['orders.cancel', () => ({ id: orderId })],
    ['orders.search', () => ({})],
    ['inventory.addStock', () => ({ id: productId, amount: 5 })],
    ['inventory.release', () => ({ orderId, items: [{ productId, quantity: 1 }] })],
    ['tracking.get', () => ({ trackingNumber: 'TRK-0' })],
    ['$node.list', () => ({})],
    ['$node.options', () => ({})],
    ['$node.health', () => ({})],
  ])('%s is refused, and the refusal says what to do', async (action, params) => {
    const before = await countOrders();
    const nodeID = action.startsWith('$') ? 'orders-1' : undefined;
    const refused = stranger.call(action, params(), { nodeID });
    await expect(refused).rejects.toThrow(Unauthenticated);
    await expect(refused).rejects.toThrow('send a bearer token in meta.token');
    expect(await countOrders()).toEqual(before);
    expect(await statusOf(mesh, orderId)).toBe('CONFIRMED');
  });

  test('what a stranger claims about itself is ignored', async () => {
    const wire = await Wire.tap(mesh.nats);
    const engine = { role: 'service', subject: 'engine', customerId: null };
    const sealed = { seal: `${Date.now()}000=${'A'.repeat(43)}` };
    const claims: object[] = [
      { sender: 'orders-1' },
      { sender: 'api', caller: 'api' },
      { meta: { caller: engine, user: engine, role: 'service' } },
      { headers: { 'waybill-caller': engine } },
      { headers: { 'waybill-caller': engine }, locals: { caller: engine }, options: { parentCtx: {} } },
      { sender: 'api', headers: { 'waybill-caller': engine }, ...sealed },
      { meta: 'service', headers: 'service' },
      { meta: { token: { role: 'staff' } } },
      { meta: { token: '' } },
      { meta: { token: 'eyJhbGciOiJub25lIn0.eyJyb2xlIjoic3RhZmYiLCJzdWIiOiJzYW0ifQ.' } },
    ];
    for (const claim of claims) {
      const { success, error } = await wire.ask('orders-1', 'orders.ship', { id: orderId }, claim);
      expect([success, error?.type, error?.code]).toEqual([false, 'UNAUTHENTICATED', 401]);
      expect(error).not.toHaveProperty('stack');
    }
    expect(await statusOf(mesh, orderId)).toBe('CONFIRMED');
  });

  test('the name of a sender cannot inject commands into what a node sends to NATS', async () => {
    const wire = await Wire.tap(mesh.nats);
    const injected: string[] = [];
    wire.connection.subscribe('injected.>', { callback: (_error, { subject }) => injected.push(subject) });
    const sender = 'x 0\r\n\r\nPUB injected.by.sender 0\r\n\r\nPUB y';
    const packet = { ...requestOf('orders.get', {}), sender, time: 1 };
    for (const type of ['PING', 'DISCOVER', 'REQ']) wire.send(`${type}.stock`, packet);
    // Packets of one sender are handled in their order.
    await wire.ask('stock', 'inventory.get', { id: productId });
    await wire.connection.flush();
    expect(injected).toEqual([]);
    // A broker as Moleculer makes it sends it.
    wire.send('PING.stranger', packet);
    await eventually(() => expect(injected).toEqual(['injected.by.sender']));
  });

  test('an invalid request is neither answered nor logged', async () => {
    const wire = await Wire.tap(mesh.nats);
    const requests = [
      { ...requestOf('orders.get', {}), ver: '4' },
      requestOf('orders.get\n[2026-01-01T00:00:00.000Z] INFO  forged line', {}),
      requestOf('no.such.action', {}),
      { ...requestOf('inventory.get', {}), stream: true, seq: 0 },
      { ...requestOf('inventory.get', {}), sender: { toString: 'stranger' } },
      { ...requestOf('inventory.get', {}), sender: 'stranger\u001b[2Jforged' },
    ];
    for (const packet of ['forged line', '{"forged line"', 'null', '[]', '', ...requests])
      wire.send('REQ.stock', packet);
    await wire.ask('stock', 'inventory.get', { id: productId });
    const ids = new Set<string>(requests.map(({ id }) => id));
    expect(wire.seen.filter(({ type, payload }) => type === 'RES' && ids.has(payload.id))).toEqual([]);
    expect(logOf('stock')).not.toContain('forged');
  });

  test('a request whose id could break a log line is answered, and its id is not logged', async () => {
    const wire = await Wire.tap(mesh.nats);
    for (const requestID of ['r\n[2026-01-01T00:00:00.000Z] INFO  forged line', 'forged'.repeat(99), { forged: 1 }]) {
      const { error } = await wire.ask('stock', 'inventory.get', { id: productId }, { requestID });
      expect(error?.type).toBe('UNAUTHENTICATED');
    }
    await wire.ask('stock', 'inventory.get', { id: productId }, { requestID: 'the-id-of-a-stranger' });
    await eventually(() => expect(logOf('stock')).toContain('the-id-of-a-stranger'));
    expect(logOf('stock')).not.toContain('forged');
  });

  test('no request makes a node send an answer that is too large for NATS', async () => {
    const wire = await Wire.tap(mesh.nats);
    const most = wire.connection.info?.max_payload as number;
    // As large as NATS lets it be: the answer repeats the text, and says more.
    const filled = (packet: object, text: (filling: string) => object): object => ({
      ...packet,
      ...text('x'.repeat(most - JSON.stringify({ ...packet, ...text('') }).length)),
    });
    const request = requestOf('inventory.get', {});
    wire.send(
      'PING.stock',
      filled({ ver: '5', sender: 'stranger', time: 1 }, (id) => ({ id })),
    );
    wire.send(
      'REQ.stock',
      filled(request, (id) => ({ id })),
    );
    wire.send(
      'REQ.stock',
      filled(request, (filling) => ({ meta: { filling } })),
    );
    await wire.ask('stock', 'inventory.get', { id: productId });
    await eventually(() => expect(logOf('stock')).toContain('larger than any request needs to be'));
    expect(logOf('stock')).not.toMatch(/MAX_PAYLOAD|unheard/);
  });
});

describe('with a token in meta.token', () => {
  test('staff ships an order', async () => {
    const placed = await placeAs(mesh, 8, productId);
    const meta = { token: await tokenOf(STAFF) };
    const shipped = await stranger.call('orders.ship', { id: placed.body.orderId }, { meta });
    expect(shipped).toMatchObject({ status: 'SHIPPED' });
    expect(await statusOf(mesh, placed.body.orderId)).toBe('SHIPPED');
  });

  test('a customer reads its own order and no other', async () => {
    const own = { token: await tokenOf(customer(7)) };
    expect(await stranger.call('orders.get', { id: orderId }, { meta: own })).toMatchObject({ order: { orderId } });
    const other = { token: await tokenOf(customer(8)) };
    await expect(stranger.call('orders.get', { id: orderId }, { meta: other })).rejects.toThrow(NotFound);
    await expect(stranger.call('orders.ship', { id: orderId }, { meta: own })).rejects.toThrow(Forbidden);
  });

  test("Moleculer's own actions stay closed", async () => {
    const meta = { token: await tokenOf(STAFF) };
    await expect(stranger.call('$node.options', {}, { nodeID: 'api', meta })).rejects.toThrow(Forbidden);
  });

  test('the stack of a failure is not sent to strangers', async () => {
    const wire = await Wire.tap(mesh.nats);
    const meta = { token: await tokenOf(STAFF) };
    const { error } = await wire.ask('orders-1', 'orders.get', { id: 1 }, { meta });
    expect(error).toMatchObject({ type: 'NOT_FOUND', code: 404 });
    expect(error).not.toHaveProperty('stack');
  });

  test('the token is not sent beyond the node that verified it', async () => {
    const wire = await Wire.tap(mesh.nats);
    const token = await tokenOf(customer(9));
    const meta = { token };
    await stranger.call('orders.create', { ...order(), customerId: 9 }, { meta });
    const reserve = await wire.request('inventory.reserve', 'stock');
    expect(reserve.raw).not.toContain(token);
    const sightings = wire.seen.filter(({ raw }) => raw.includes(token)).map(({ subject }) => subject);
    expect(sightings).toEqual([expect.stringMatching(/^MOL-waybill\.REQ\.orders-\d$/)]);
  });
});
