/** The books of the three services held against each other: no disagreement stays unseen. */
import { expect, test } from '@jest/globals';
import type { Disagreement } from '../../machines/reconciliation/reconciliation.ts';
import { engine, cup, useBooks, reconciliation, orderAtRest } from '../support/reconciled-books.ts';
import { planted, forget } from '../support/planted-disagreements.ts';

useBooks();

const all = async (limit: number) =>
  (await engine.send<Disagreement[]>('GET', `/reports/reconciliation?limit=${limit}`)).body.map((one) => one.orderId);

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

test('a product whose reserved quantity differs from its reservations is found', async () => {
  const product = await engine.product({ stock: 50 });
  const { orderId } = await engine.confirmed(product, 5);
  await engine.rows('UPDATE inventory.products SET reserved_quantity = 4 WHERE id = $1', [product]);
  expect(await reconciliation()).toEqual([
    {
      productId: product,
      kind: 'RESERVED_SUM_DIFFERS',
      expected: '5',
      found: '4',
      message: `Product ${product} has reservedQuantity 4, but its reservations hold 5`,
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

test('a manual reservation or shipment without an order is listed until it is released', async () => {
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

test('many pages are compared to the end, and at most the requested number of disagreements is returned', async () => {
  // Order ids below those of real orders, so that the pages of the three books lie apart.
  await engine.rows(
    `INSERT INTO inventory.reservations (order_id, status, product_ids, quantities, prices, unavailable)
     SELECT id, 'HELD', '{}', '{}', '{}', '{}' FROM generate_series(1001, 3600) AS id`,
  );
  expect(await all(1_000)).toEqual(Array.from({ length: 1_000 }, (_, i) => 1_001 + i));
  expect(await all(3)).toEqual([1_001, 1_002, 1_003]);
  await engine.rows('DELETE FROM inventory.reservations WHERE order_id BETWEEN 1001 AND 3599');
  expect(await all(1_000)).toEqual([3_600]);
  await engine.rows('DELETE FROM inventory.reservations WHERE order_id = 3600');
  expect((await engine.send('GET', '/reports/reconciliation?limit=1001')).status).toBe(400);
});

test('a page is cut short when its lines would not fit into a message', async () => {
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
