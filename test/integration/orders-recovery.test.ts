/** Orders outlive their nodes: what a dead node owed is paid by another, once; what waits for too long is cancelled. */
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { bodyOf, type Engine, hang, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterEach(async () => {
  await letGo();
  await engine.restore();
});

interface Row extends Record<string, unknown> {
  id: string;
  status: string;
  owner: string | null;
}

const rowOf = async (customerId: number): Promise<Row | undefined> =>
  (await engine.rows<Row>('SELECT id, status, owner FROM orders.orders WHERE customer_id = $1', [customerId]))[0];

/** A process of its own on the engine's database. */
function startNode(): Promise<Waybill> {
  return startWaybill({
    env: { DATABASE_URL: engine.databaseUrl, DEMO_CATALOG: 'false', CALL_TIMEOUT: '2s', ORDER_LEASE: '4500ms' },
  });
}

let letGo = (): Promise<unknown> => Promise.resolve();

/** Holds a lock until `letGo`, so that whoever needs it hangs in the middle of its statement. */
async function hold(sql: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: engine.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, values);
  letGo = () => {
    letGo = () => Promise.resolve();
    return client.end();
  };
}

/** Places an order at a process and kills it with -9 while a statement on `stuckIn` waits for a lock. */
async function killWhilePlacing(node: Waybill, body: { customerId: number }, stuckIn: string): Promise<number> {
  const placing = http('POST', `${node.url}/api/v1/orders`, { body }).catch(() => 'cut off');
  await eventually(async () => {
    const waiting = await engine.rows(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`,
      [`%${stuckIn}%`],
    );
    expect(waiting).not.toEqual([]);
  });
  await node.kill('SIGKILL');
  expect(await placing).toBe('cut off');
  // The kill struck in the middle: the order is there, pending, and still in the dead node's name.
  const row = await rowOf(body.customerId);
  expect(row).toMatchObject({ status: 'PENDING_CHECK', owner: node.nodeID });
  return Number(row?.id);
}

test('a process killed by -9 in the middle of reserving: another node finishes the order, reserved and shipped once', async () => {
  const node = await startNode();
  const product = await engine.product({ price: 3.5 });
  await hold('SELECT 1 FROM inventory.products WHERE id = $1 FOR UPDATE', [product]);
  const id = await killWhilePlacing(node, bodyOf(product, 4), '"inventory"."products"');
  // What the dead node had sent may still take effect, so only the retry shows the outcome.
  await letGo();
  await eventually(async () => expect(await engine.order(id)).toMatchObject({ status: 'CONFIRMED', totalPrice: 14 }));
  expect(await engine.stock(product)).toEqual([100, 4]);
  expect(await engine.shipment(id)).toBe('CREATED');
  expect((await engine.history(id)).map(({ seq, event }) => [seq, event])).toEqual([
    [1, 'PLACE'],
    [2, 'SECURED'],
  ]);
});

test('a process killed by -9 after reserving, before its shipment is made: another node finishes with one of each', async () => {
  const node = await startNode();
  const product = await engine.product();
  await hold('LOCK TABLE tracking.shipments IN ACCESS EXCLUSIVE MODE');
  const id = await killWhilePlacing(node, bodyOf(product, 4), '"tracking"."shipments"');
  expect(await engine.stock(product)).toEqual([100, 4]);
  await letGo();
  await eventually(async () => expect((await engine.order(id)).trackingNumber).toMatch(/^TRK-/));
  expect(await engine.stock(product)).toEqual([100, 4]);
  expect(await engine.rows('SELECT 1 FROM tracking.shipments WHERE order_id = $1', [id])).toHaveLength(1);
});

test('the work that a dead node owed for a cancelled order is done by another', async () => {
  const { orderId } = await engine.confirmed(await engine.product());
  // As a node leaves it that dies right after the commit of its cancel.
  await engine.rows(
    `UPDATE orders.orders SET status = 'CANCELLED', stock_state = 'releasing', shipment_state = 'voiding', seq = seq + 1,
       version = version + 1, owner = 'dead', due_at = now() + interval '300 ms' WHERE id = $1`,
    [orderId],
  );
  const [{ productId } = { productId: 0 }] = (await engine.order(orderId)).items;
  await eventually(async () => expect((await engine.explain(orderId)).waitingFor).toBeNull());
  expect(await engine.stock(productId)).toEqual([100, 0]);
  expect(await engine.shipment(orderId)).toBe('VOIDED');
});

test('a node leaves alone what another node holds, until the lease expires', async () => {
  const product = await engine.product();
  const body = bodyOf(product);
  await engine.takeAway('inventory');
  await engine.post(body);
  await engine.rows(
    `UPDATE orders.orders SET version = version + 1, owner = 'other', due_at = now() + interval '1 hour'
    WHERE customer_id = $1`,
    [body.customerId],
  );
  await engine.bringBack('inventory');
  const probe = bodyOf(product);
  expect((await engine.post(probe)).status).toBe(201);
  // A repetition of the same body learns that the order is being processed.
  expect(await engine.post(body)).toMatchObject({ status: 503, body: { status: 'PENDING_CHECK' } });
  expect(await rowOf(body.customerId)).toMatchObject({ status: 'PENDING_CHECK', owner: 'other' });
  await engine.rows('UPDATE orders.orders SET due_at = now() WHERE customer_id = $1', [body.customerId]);
  await eventually(async () =>
    expect(await rowOf(body.customerId)).toMatchObject({ status: 'CONFIRMED', owner: null }),
  );
});

test('a row of a newer machine is left to nodes that know it', async () => {
  const product = await engine.product();
  const [newer, known] = [bodyOf(product), bodyOf(product)];
  await engine.takeAway('inventory');
  await Promise.all([engine.post(newer), engine.post(known)]);
  await engine.rows('UPDATE orders.orders SET machine_version = 99, version = version + 1 WHERE customer_id = $1', [
    newer.customerId,
  ]);
  await engine.bringBack('inventory');
  await eventually(async () => expect(await rowOf(known.customerId)).toMatchObject({ status: 'CONFIRMED' }));
  expect(await rowOf(newer.customerId)).toMatchObject({ status: 'PENDING_CHECK' });
});

test('a node resumes at its start what it left unfinished when it stopped', async () => {
  const product = await engine.product();
  engine.disturb('tracking.createShipment', hang);
  const { body } = await engine.post(bodyOf(product));
  expect(body.trackingNumber).toBeNull();
  await engine.takeAway('orders');
  engine.disturb('tracking.createShipment', undefined);
  await engine.bringBack('orders');
  await eventually(async () => expect((await engine.order(body.orderId)).trackingNumber).toMatch(/^TRK-/));
});

test('an order that stays PENDING_CHECK past ORDER_PENDING_TTL is cancelled automatically, with that reason', async () => {
  const impatient = await startEngine({ nodeID: 'impatient', env: { ORDER_PENDING_TTL: '1500ms' } });
  const product = await impatient.product();
  // Its reservation was made but the answer lost: the cancel has to release it.
  impatient.disturb('inventory.reserve', (run) => run().then(() => hang(run)));
  const { status, body } = await impatient.post(bodyOf(product, 5));
  expect([status, body.status]).toEqual([503, 'PENDING_CHECK']);
  expect(await impatient.stock(product)).toEqual([100, 5]);
  await eventually(async () => expect((await impatient.order(body.orderId)).status).toBe('CANCELLED'));
  const expiry = (await impatient.history(body.orderId)).find(({ event }) => event === 'EXPIRE');
  expect(expiry).toMatchObject({
    from: 'PENDING_CHECK',
    to: 'CANCELLED',
    detail: { reason: expect.stringContaining('1.5 s') },
  });
  await eventually(async () => expect((await impatient.explain(body.orderId)).waitingFor).toBeNull());
  expect(await impatient.stock(product)).toEqual([100, 0]);
  expect(await impatient.shipment(body.orderId)).toBe('VOIDED');
});
