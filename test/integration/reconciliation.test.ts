/** The books of the three services held against each other: silent when all is well, and never when it is not. */
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Disagreement, DisagreementKind } from '../../machines/reconciliation/reconciliation.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

let engine: Engine;
let cup: number;

beforeAll(async () => {
  engine = await startEngine();
  cup = await engine.product({ stock: 10_000 });
});

afterEach(() => engine.restore());

async function reconciliation(): Promise<Disagreement[]> {
  const reply = await engine.send<Disagreement[]>('GET', '/reports/reconciliation');
  expect(reply.status).toBe(200);
  return reply.body;
}

async function atRest(): Promise<void> {
  await eventually(async () => {
    const owing = await engine.rows('SELECT id FROM orders.orders WHERE due_at IS NOT NULL OR parked_at IS NOT NULL');
    expect(owing).toEqual([]);
  });
}

const away = () => Promise.reject(new Error('away'));

/** An order at rest in each way there is. */
const makers: Record<string, () => Promise<number>> = {
  confirmed: async () => (await engine.confirmed(cup)).orderId,
  shipped: async () => {
    const { orderId } = await engine.confirmed(cup);
    await engine.command('ship', orderId);
    return orderId;
  },
  delivered: async () => {
    const { orderId } = await engine.confirmed(cup);
    await engine.command('ship', orderId);
    await engine.command('deliver', orderId);
    return orderId;
  },
  cancelled: async () => {
    const { orderId } = await engine.confirmed(cup);
    await engine.command('cancel', orderId);
    return orderId;
  },
  refused: async () => {
    const { status, body } = await engine.post(bodyOf(cup, 1_000_000));
    expect(status).toBe(400);
    return body.orderId as number;
  },
};

async function orderAtRest(kind: string): Promise<number> {
  const orderId = await (makers[kind] as () => Promise<number>)();
  await atRest();
  return orderId;
}

test('after orders were confirmed, shipped, delivered, cancelled and refused there is nothing to report', async () => {
  await Promise.all(Object.values(makers).flatMap((make) => [make(), make(), make()]));
  const split = { ...bodyOf(cup), items: [3, 1, 2].map((quantity) => ({ productId: cup, quantity })) };
  expect((await engine.post(split)).status).toBe(201);
  await atRest();
  expect(await reconciliation()).toEqual([]);
});

test('an order that moves on between two reads is no disagreement, at the first look or at the second', async () => {
  const [first, second] = [await orderAtRest('confirmed'), await orderAtRest('confirmed')];
  const consumed = (status: string) => engine.rows(reservation(`status = '${status}'`), [second]);
  const ship = async (orderId: number) => {
    await engine.command('ship', orderId);
    await atRest();
  };
  let reads = 0;
  engine.disturb('inventory.reservations', async (run) => {
    reads += 1;
    // The orders are read by now.
    await ship(reads === 1 ? first : second);
    if (reads > 1) return run();
    await consumed('CONSUMED');
    const page = await run();
    await consumed('HELD');
    return page;
  });
  expect(await reconciliation()).toEqual([]);
  expect(reads).toBe(2);
});

test('nothing is reported while orders go on, however long it is looked for', async () => {
  const looks = new AbortController();
  const traffic = (async () => {
    while (!looks.signal.aborted) await Promise.all(Object.values(makers).map((make) => make()));
  })();
  for (let i = 0; i < 15; i++) expect(await reconciliation()).toEqual([]);
  looks.abort();
  await traffic;
});

test('what an order still owes is no disagreement', async () => {
  const [shipped, cancelled] = [await orderAtRest('confirmed'), await orderAtRest('confirmed')];
  for (const action of ['inventory.consume', 'inventory.release', 'tracking.void', 'tracking.createShipment'])
    engine.disturb(action, away);
  await engine.command('ship', shipped);
  await engine.command('cancel', cancelled);
  await engine.post(bodyOf(cup));
  engine.disturb('inventory.reserve', away);
  await engine.post(bodyOf(cup));
  expect(await reconciliation()).toEqual([]);
  await engine.restore();
  await atRest();
  expect(await reconciliation()).toEqual([]);
});

const reservation = (set: string) => `UPDATE inventory.reservations SET ${set} WHERE order_id = $1`;
const shipment = (set: string) => `UPDATE tracking.shipments SET ${set} WHERE order_id = $1`;
const setOrder = (set: string, id: number) => engine.rows(`UPDATE orders.orders SET ${set} WHERE id = $1`, [id]);
const noReservation = 'DELETE FROM inventory.reservations WHERE order_id = $1';
const noShipment = 'DELETE FROM tracking.shipments WHERE order_id = $1';
const noOrder = 'DELETE FROM orders.orders WHERE id = $1';

const planted: [kinds: DisagreementKind[], order: string, sql: string][] = [
  [
    ['WORK_FORGOTTEN'],
    'confirmed',
    `UPDATE orders.orders SET stock_state = 'consuming', status = 'SHIPPED' WHERE id = $1`,
  ],
  [['RESERVATION_WITHOUT_ORDER', 'SHIPMENT_WITHOUT_ORDER'], 'confirmed', noOrder],
  [['RESERVATION_WITHOUT_ORDER', 'SHIPMENT_WITHOUT_ORDER'], 'delivered', noOrder],
  [['RESERVATION_MISSING'], 'confirmed', noReservation],
  [['RESERVATION_MISSING'], 'cancelled', noReservation],
  [['RESERVATION_MISSING'], 'refused', noReservation],
  [['RESERVATION_NOT_HELD'], 'confirmed', reservation(`status = 'RELEASED'`)],
  [['RESERVATION_NOT_HELD'], 'confirmed', reservation(`status = 'CONSUMED'`)],
  [['SHIPPED_NOT_CONSUMED'], 'shipped', reservation(`status = 'HELD'`)],
  [['SHIPPED_NOT_CONSUMED'], 'delivered', reservation(`status = 'RELEASED'`)],
  [['CANCELLED_ORDER_HOLDS_STOCK'], 'cancelled', reservation(`status = 'HELD'`)],
  [['CANCELLED_ORDER_HOLDS_STOCK'], 'cancelled', reservation(`status = 'CONSUMED'`)],
  [['ITEMS_DIFFER'], 'confirmed', reservation(`quantities = '{7}'`)],
  [['ITEMS_DIFFER'], 'shipped', reservation(`product_ids = '{987654}'`)],
  [['SHIPMENT_MISSING'], 'confirmed', noShipment],
  [['SHIPMENT_MISSING'], 'cancelled', noShipment],
  [['SHIPMENT_VOIDED'], 'shipped', shipment(`status = 'VOIDED'`)],
  [['SHIPMENT_OF_CANCELLED_ORDER_LIVE'], 'cancelled', shipment(`status = 'CREATED'`)],
  [['TRACKING_NUMBER_DIFFERS'], 'confirmed', shipment(`tracking_number = gen_random_uuid()`)],
  [
    ['CANCELLED_ORDER_HOLDS_STOCK', 'SHIPMENT_OF_CANCELLED_ORDER_LIVE'],
    'delivered',
    `UPDATE orders.orders SET status = 'CANCELLED' WHERE id = $1`,
  ],
];

/** A disagreement that was planted must not be found by the next test. */
async function forget(orderId: number): Promise<void> {
  for (const sql of [noOrder, noReservation, noShipment]) await engine.rows(sql, [orderId]);
  await engine.rows(
    `UPDATE inventory.products p SET reserved_quantity = coalesce((SELECT sum(l.quantity) FROM inventory.reservation_lines l
       WHERE l.product_id = p.id AND l.status = 'HELD'), 0)`,
  );
}

test.each(planted)('%p is found when it is planted under a %s order by %s', async (kinds, order, sql) => {
  const orderId = await orderAtRest(order);
  await engine.rows(sql, [orderId]);
  const found = await reconciliation();
  const ofOrder = found.filter((disagreement) => disagreement.orderId === orderId);
  expect(ofOrder.map(({ kind }) => kind)).toEqual(kinds);
  for (const { expected, found: real, message } of ofOrder) {
    expect(expected).not.toBe(real);
    expect(message).toContain(String(orderId));
  }
  // What else there is says that the stock does not add up any more.
  const others = found.filter((disagreement) => disagreement.orderId !== orderId);
  expect(others.filter(({ kind }) => kind !== 'RESERVED_SUM_DIFFERS')).toEqual([]);
  await forget(orderId);
  expect(await reconciliation()).toEqual([]);
});

test('a product that counts more or less reserved than is held is found', async () => {
  const product = await engine.product({ stock: 50 });
  const { orderId } = await engine.confirmed(product, 5);
  await engine.rows('UPDATE inventory.products SET reserved_quantity = 4 WHERE id = $1', [product]);
  expect(await reconciliation()).toEqual([
    {
      productId: product,
      kind: 'RESERVED_SUM_DIFFERS',
      expected: '5',
      found: '4',
      message: `Product ${product} counts 4 reserved, but its reservations hold 5`,
    },
  ]);
  await forget(orderId);
});

test('a product that is reserved beyond its stock is found', async () => {
  const product = await engine.product({ stock: 5 });
  const { orderId } = await engine.confirmed(product, 5);
  await engine.rows('ALTER TABLE inventory.products DROP CONSTRAINT never_oversold');
  await engine.rows('UPDATE inventory.products SET quantity = 3 WHERE id = $1', [product]);
  expect(await reconciliation()).toMatchObject([
    { productId: product, kind: 'RESERVED_OUT_OF_BOUNDS', expected: '0 to 3', found: '5' },
  ]);
  await forget(orderId);
  await engine.rows('UPDATE inventory.products SET quantity = 5 WHERE id = $1', [product]);
  await engine.rows(
    'ALTER TABLE inventory.products ADD CONSTRAINT never_oversold CHECK (reserved_quantity >= 0 AND reserved_quantity <= quantity)',
  );
});

test('what was reserved and shipped by hand for no order is listed until it is given back', async () => {
  const items = [{ productId: cup, quantity: 1 }];
  await engine.send('POST', '/inventory/reserve', { body: { orderId: 17, items } });
  const parcel = { orderId: 17, customerName: 'Ada', deliveryAddress: '12 St James Square', carrier: 'UPS' };
  await engine.send('POST', '/tracking/shipment', { body: parcel });
  expect((await reconciliation()).map(({ orderId, kind }) => [orderId, kind])).toEqual([
    [17, 'RESERVATION_WITHOUT_ORDER'],
    [17, 'SHIPMENT_WITHOUT_ORDER'],
  ]);
  await engine.send('POST', '/inventory/release', { body: { orderId: 17, items } });
  await engine.broker.call('tracking.void', { orderId: 17 });
  expect(await reconciliation()).toEqual([]);
});

test('books of many pages are compared to the end, and as many disagreements answered as are asked for', async () => {
  // Order ids below those of real orders, so that the pages of the three books lie apart.
  await engine.rows(
    `INSERT INTO inventory.reservations (order_id, status, product_ids, quantities, prices, unavailable)
     SELECT id, 'HELD', '{}', '{}', '{}', '{}' FROM generate_series(1001, 3600) AS id`,
  );
  const all = async (limit: number) =>
    (await engine.send<Disagreement[]>('GET', `/reports/reconciliation?limit=${limit}`)).body.map((one) => one.orderId);
  expect(await all(1_000)).toEqual(Array.from({ length: 1_000 }, (_, i) => 1_001 + i));
  expect(await all(3)).toEqual([1_001, 1_002, 1_003]);
  await engine.rows('DELETE FROM inventory.reservations WHERE order_id BETWEEN 1001 AND 3599');
  expect(await all(1_000)).toEqual([3_600]);
  await engine.rows('DELETE FROM inventory.reservations WHERE order_id = 3600');
  expect((await engine.send('GET', '/reports/reconciliation?limit=1001')).status).toBe(400);
});

test('pages are cut short where their lines would not fit into a message', async () => {
  await engine.rows(
    `INSERT INTO inventory.reservations (order_id, status, product_ids, quantities, prices, unavailable)
     SELECT id, 'REFUSED', array_fill(1, '{1000}'), array_fill(1, '{1000}'), '{}', '{}' FROM generate_series(101, 120) AS id`,
  );
  const ids: number[] = [];
  for (let after: number | null = 100; after !== null && after <= 120; ) {
    const page: { items: { orderId: number }[]; next: number | null } = await engine.broker.call(
      'inventory.reservations',
      { after },
    );
    expect(JSON.stringify(page).length).toBeLessThan(1_000_000);
    ids.push(...page.items.map((item) => item.orderId));
    after = page.next;
  }
  expect(ids.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 101 + i));
  expect(await reconciliation()).toEqual([]);
  await engine.rows('DELETE FROM inventory.reservations WHERE order_id BETWEEN 101 AND 120');
});

test.each(['inventory', 'tracking'])('the answer is 503 that names %s while it is away', async (name) => {
  await engine.takeAway(name);
  const { status, body, headers } = await engine.send('GET', '/reports/reconciliation');
  expect([status, headers.get('retry-after'), body]).toMatchObject([
    503,
    '1',
    { error: 'Service Unavailable', missing: [name] },
  ]);
  await engine.bringBack(name);
  expect(await reconciliation()).toEqual([]);
});

test('an operator has what is owed tried again at once, and is told how it stands', async () => {
  const orderId = await orderAtRest('confirmed');
  engine.disturb('inventory.consume', away);
  await engine.command('ship', orderId);
  await eventually(async () => expect((await engine.explain(orderId)).attempt).toBeGreaterThan(0));
  const sent = (id: number | string) =>
    engine.send<{ waitingFor: string | null; status: string }>('POST', `/orders/${id}/retry`);
  expect(await sent(orderId)).toMatchObject({ status: 200, body: { status: 'SHIPPED', waitingFor: 'inventory' } });
  await engine.restore();
  await atRest();
  expect(await sent(orderId)).toMatchObject({ status: 200, body: { status: 'SHIPPED', waitingFor: null } });
  expect((await sent(4711)).status).toBe(404);
});

test('the metrics tell what is owed, what is parked and how long the oldest waits', async () => {
  const [shipped, parked, pending] = [
    await orderAtRest('confirmed'),
    await orderAtRest('confirmed'),
    await orderAtRest('shipped'),
  ];
  const later = `due_at = now() + interval '1 hour', waiting_since = now() - interval`;
  await setOrder(`status = 'SHIPPED', stock_state = 'consuming', ${later} '90 s'`, shipped);
  await setOrder(
    `status = 'CANCELLED', stock_state = 'released', shipment_state = 'voiding', ${later} '20 s'`,
    pending,
  );
  await setOrder(`status = 'SHIPPED', stock_state = 'consuming', parked_at = now(), waiting_since = now()`, parked);
  const { body } = await eventually(async () => {
    const reply = await engine.send<string>('GET', '/../../metrics');
    expect(reply.status).toBe(200);
    return reply;
  });
  expect(body).toContain('waybill_orders_owed{waiting_for="inventory"} 1\n');
  expect(body).toContain('waybill_orders_owed{waiting_for="tracking"} 1\n');
  expect(body).toContain('waybill_orders_parked 1\n');
  expect(Number(/^waybill_orders_oldest_wait_seconds (\S+)$/m.exec(body)?.[1])).toBeGreaterThanOrEqual(90);
  for (const id of [shipped, parked, pending]) await forget(id);
});
