/** A customer's token gives access to the customer's own orders and shipments only; all others appear not to exist. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Forbidden } from '../../mixins/auth/auth.failures.ts';
import { OrderPending } from '../../machines/order/order.failures.ts';
import type { OrderView, PlacedOrder, SearchResult } from '../../services/orders/orders.types.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { ADMIN, bearer, callAs, customer, SECRET, STAFF } from '../support/tokens.ts';

let engine: Engine;
let productId: number;
let ada: OrderView;
let bob: OrderView;
beforeAll(async () => {
  engine = await startEngine({ env: { AUTH_JWT_SECRET: SECRET } });
  productId = await engine.product({ stock: 1_000 });
  ada = await engine.confirmed(productId);
  bob = await engine.confirmed(productId);
});
afterEach(() => engine.restore());

const Ada = () => customer(ada.customerId);
const newBody = (customerId: number) => ({ ...bodyOf(productId), customerId });
const ordersOf = async (customerId: number): Promise<number> =>
  (await engine.rows('SELECT 1 FROM orders.orders WHERE customer_id = $1', [customerId])).length;

describe("another customer's order is answered exactly like one that does not exist", () => {
  test.each([
    ['GET', ''],
    ['GET', '/history'],
    ['GET', '/explain'],
    ['PUT', '/cancel'],
  ])('%s /orders/{id}%s', async (method, rest) => {
    const headers = await bearer(Ada());
    const { orderId, orderNumber } = bob;
    // Ids are drawn from the time: there was no order in the instant before.
    const pairs = [
      [String(orderId), String(orderId - 1)],
      [orderNumber, orderNumber.replace(/.{4}$/, '0000')],
    ] as [string, string][];
    for (const [others, absent] of pairs) {
      const seen = [others, absent].map(async (id) => {
        const { status, headers: sent, body } = await engine.send(method, `/orders/${id}${rest}`, { headers });
        return { status, type: sent.get('X-Error-Type'), body: JSON.stringify(body).replaceAll(id, '<id>') };
      });
      const [first, second] = await Promise.all(seen);
      expect(first).toMatchObject({ status: 404, type: 'NOT_FOUND' });
      expect(first).toEqual(second);
    }
    expect((await engine.order(orderId)).status).toBe('CONFIRMED');
  });
});

test("a customer's If-Match does not reveal whether another customer's order exists", async () => {
  const headers = { ...(await bearer(Ada())), 'If-Match': '"stale"' };
  expect((await engine.send('PUT', `/orders/${bob.orderId}/cancel`, { headers })).status).toBe(404);
});

test('a customer finds its own orders by either number, and staff read those of several customers', async () => {
  const find = (id: unknown) => callAs<{ order: OrderView }>(engine.broker, Ada(), 'orders.get', { id });
  const [byId, byNumber] = await Promise.all([find(ada.orderId), find(ada.orderNumber)]);
  expect(byId.order).toEqual(expect.objectContaining(ada));
  expect(byNumber.order).toEqual(byId.order);

  const asked = [Ada(), customer(bob.customerId), STAFF].map((caller) =>
    callAs<{ order: OrderView }>(engine.broker, caller, 'orders.get', { id: ada.orderId }).catch(() => 'absent'),
  );
  expect(await Promise.all(asked)).toEqual([expect.anything(), 'absent', expect.anything()]);
});

test('a search by a customer finds only its own orders, on every page and with any filter', async () => {
  const { customerId } = Ada();
  await engine.broker.call('orders.create', newBody(customerId as number));
  const search = (params: object) => callAs<SearchResult>(engine.broker, Ada(), 'orders.search', params);
  const found: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { orders, next } = await search({ limit: 1, sort: 'totalPrice', ...(cursor && { cursor }) });
    found.push(...orders.map((order) => order.customerId));
    cursor = next;
  }
  expect(found).toEqual([customerId, customerId]);
  expect((await search({ customerId: bob.customerId })).orders).toEqual([]);
  expect((await search({ productId, status: 'CONFIRMED' })).orders).toHaveLength(2);
  const everybody = await callAs<SearchResult>(engine.broker, STAFF, 'orders.search', { productId });
  expect(everybody.orders.length).toBeGreaterThan(2);
});

test("another customer's list is empty, even with a cursor from it", async () => {
  const path = `/orders/customer/${bob.customerId}`;
  await engine.broker.call('orders.create', newBody(bob.customerId));
  const { headers } = await engine.send('GET', `${path}?limit=1`, { headers: await bearer(ADMIN) });
  const next = /<\/api\/v1(.*?)>/.exec(headers.get('Link') as string)?.[1] as string;
  for (const address of [path, next]) {
    const seen = await engine.send('GET', address, { headers: await bearer(Ada()) });
    expect({ status: seen.status, body: seen.body, link: seen.headers.get('Link') }).toEqual({
      status: 200,
      body: [],
      link: null,
    });
  }
});

test('a customer orders in its own name only; staff order for anyone', async () => {
  const stranger = 7_000_001;
  const refused = await engine.post(newBody(stranger), await bearer(Ada()));
  expect(refused.status).toBe(403);
  expect(refused.body.message).toContain(`only place orders for customer ${ada.customerId}`);
  expect(await ordersOf(stranger)).toBe(0);
  expect((await engine.post(newBody(stranger), await bearer(STAFF))).status).toBe(201);
});

test("an idempotency key replays only its owner's answer, whatever callers claim about themselves", async () => {
  const meta = { idempotencyKey: randomUUID(), caller: 'customer:7000002' };
  const place = (caller: typeof STAFF, customerId: number) =>
    callAs<PlacedOrder>(engine.broker, caller, 'orders.create', { ...newBody(customerId), carrier: 'UPS' }, meta);
  const [first, second] = [7_000_002, 7_000_003];
  const callers = [customer(first), customer(second), STAFF, ADMIN, { ...STAFF, subject: 'sue' }];
  const placed: PlacedOrder[] = [];
  for (const caller of callers) placed.push(await place(caller, caller.customerId ?? first));
  expect(placed.map(({ replayed }) => replayed)).toEqual(callers.map(() => false));
  expect(new Set(placed.map(({ order }) => order.orderId)).size).toBe(callers.length);
  for (const [i, caller] of callers.entries())
    expect(await place(caller, caller.customerId ?? first)).toEqual({ ...placed[i], replayed: true });
});

test('repeating the body of a pending order resumes it for its sender, and places a new one for others', async () => {
  const body = newBody(7_000_004);
  await engine.takeAway('inventory');
  const place = async (caller: typeof STAFF): Promise<unknown> => {
    const error: unknown = await callAs(engine.broker, caller, 'orders.create', body).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(OrderPending);
    return (error as OrderPending).data.orderId;
  };
  const own = await place(customer(7_000_004));
  const staffs = await place(STAFF);
  expect(staffs).not.toBe(own);
  expect([await place(customer(7_000_004)), await place(STAFF)]).toEqual([own, staffs]);
  expect(await ordersOf(7_000_004)).toBe(2);
});

test("a shipment is shown to its order's customer, and is 404 to other customers", async () => {
  const headers = await bearer(Ada());
  const own = await engine.send('GET', `/tracking/${ada.trackingNumber}`, { headers });
  expect(own).toMatchObject({ status: 200, body: { orderId: ada.orderId } });
  const absentNumber = (bob.trackingNumber as string).replace(/.{4}$/, '0000');
  const [others, absent] = await Promise.all(
    [bob.trackingNumber as string, absentNumber].map(async (number) => {
      const { status, body } = await engine.send('GET', `/tracking/${number}`, { headers });
      return { status, body: JSON.stringify(body).replaceAll(number, '<number>') };
    }),
  );
  expect(others?.status).toBe(404);
  expect(others).toEqual(absent);
});

test('a shipment without a known customer, such as one of an older version, is shown to staff only', async () => {
  const parcel = { orderId: 7_000_005, deliveryAddress: '1 Harbour Street, Cork', carrier: 'DHL' };
  const { trackingNumber } = await engine.broker.call<{ trackingNumber: string }, object>(
    'tracking.createShipment',
    parcel,
  );
  const statusFor = async (caller: typeof STAFF): Promise<number> =>
    (await engine.send('GET', `/tracking/${trackingNumber}`, { headers: await bearer(caller) })).status;
  expect([await statusFor(Ada()), await statusFor(STAFF), await statusFor(ADMIN)]).toEqual([404, 200, 200]);
});

test('a report runs as the engine, and only for callers who may see it', async () => {
  await expect(callAs(engine.broker, Ada(), 'reports.reconciliation', {})).rejects.toBeInstanceOf(Forbidden);
  await expect(callAs(engine.broker, STAFF, 'orders.states', {})).rejects.toBeInstanceOf(Forbidden);
  expect(await callAs(engine.broker, STAFF, 'reports.reconciliation', {})).toBeInstanceOf(Array);
});
