/** Stock is reserved, released and consumed whole and once, on a real PostgreSQL. */
import { expect, test } from '@jest/globals';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import {
  sql,
  one,
  two,
  nextId,
  ask,
  createProduct,
  product,
  failureOf,
  useStockNodes,
} from '../support/stock-nodes.ts';

useStockNodes();

test('an order is reserved whole with the prices of that moment, then consumed', async () => {
  const cup = await createProduct({ price: 4.35 });
  const pot = await createProduct({ price: 0.1 });
  const orderId = nextId();
  const items = [
    { productId: pot.id, quantity: 2 },
    { productId: cup.id, quantity: 1 },
    { productId: pot.id, quantity: 1 },
  ];
  const reply = {
    success: true,
    message: 'Stock reserved',
    unavailableProducts: [],
    items: [
      { productId: cup.id, quantity: 1, price: 4.35 },
      { productId: pot.id, quantity: 3, price: 0.1 },
    ],
  };
  expect(await ask('reserve', orderId, items)).toEqual(reply);
  expect(await product(pot.id)).toMatchObject({ quantity: 10, reservedQuantity: 3, availableStock: 7 });

  await one.call('inventory.update', { id: cup.id, price: 99 });
  expect(await ask('reserve', orderId, items, two)).toEqual(reply);

  for (const broker of [one, two]) {
    expect(await ask('consume', orderId, items, broker)).toEqual({
      success: true,
      message: 'Reservation consumed',
      unavailableProducts: [],
    });
  }
  expect(await product(pot.id)).toMatchObject({ quantity: 7, reservedQuantity: 0, availableStock: 7 });
  expect(await ask('release', orderId, items)).toMatchObject({ success: false });
});

test('an order that lacks one product reserves none, and its refusal stands when stock arrives', async () => {
  const plenty = await createProduct();
  const scarce = await createProduct({ initialStock: 0 });
  const unknown = 999_999_999;
  const orderId = nextId();
  const items = [plenty.id, scarce.id, unknown].map((productId) => ({ productId, quantity: 1 }));
  const refusal = {
    success: false,
    message: `Product IDs ${scarce.id}, ${unknown} have insufficient stock`,
    unavailableProducts: [scarce.id, unknown],
  };
  expect(await ask('reserve', orderId, items)).toEqual(refusal);
  await one.call('inventory.addStock', { id: scarce.id, amount: 5 });
  expect(await ask('reserve', orderId, items)).toEqual(refusal);
  expect(await product(plenty.id)).toMatchObject({ reservedQuantity: 0 });
  expect(await ask('consume', orderId, items)).toMatchObject({ success: false });
  expect(await ask('release', orderId, items)).toMatchObject({ success: true });
});

test('a release that arrives before its reserve wins, on whichever node they arrive', async () => {
  const { id } = await createProduct();
  const orderId = nextId();
  const items = [{ productId: id, quantity: 1 }];
  expect(await ask('release', orderId, items, two)).toMatchObject({ success: true });
  expect(await ask('reserve', orderId, items, one)).toMatchObject({ success: false, unavailableProducts: [] });
  expect(await product(id)).toMatchObject({ reservedQuantity: 0 });
});

test('a release gives back what was reserved, once', async () => {
  const { id } = await createProduct();
  const orderId = nextId();
  const items = [{ productId: id, quantity: 4 }];
  await ask('reserve', orderId, items);
  const replies = await Promise.all([one, two, one, two].map((broker) => ask('release', orderId, items, broker)));
  expect(replies.every((reply) => reply.success)).toBe(true);
  expect(await product(id)).toMatchObject({ quantity: 10, reservedQuantity: 0 });
});

test('an order id with different items is a conflict', async () => {
  const { id } = await createProduct();
  const orderId = nextId();
  await ask('reserve', orderId, [{ productId: id, quantity: 1 }]);
  expect(await failureOf(ask('reserve', orderId, [{ productId: id, quantity: 2 }]))).toMatchObject({
    type: 'ORDER_ID_REUSED',
  });
  expect(await product(id)).toMatchObject({ reservedQuantity: 1 });
});

test('every change of stock is published once, in order, with its revision', async () => {
  const { id } = await createProduct({ initialStock: 3 });
  const items = [{ productId: id, quantity: 2 }];
  const orderId = nextId();
  await one.call('inventory.addStock', { id, amount: 1 });
  await one.call('inventory.update', { id, price: 5 });
  await ask('reserve', orderId, items);
  await ask('reserve', orderId, items);
  await ask('consume', orderId, items);
  const { rows } = await sql.query<{ event: unknown }>(
    `SELECT e AS event FROM told.events, json_array_elements(events) e WHERE e->>'key' = $1 ORDER BY told.events.id`,
    [`product-${id}`],
  );
  // The event is put together in SQL, where no compiler sees it: its type is the one that is written down here.
  const told = (revision: number, quantity: number, reservedQuantity: number): DomainEvent<'stock.changed'> => ({
    id: `product-${id}-${revision}`,
    type: 'stock.changed',
    key: `product-${id}`,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown as string,
    data: { productId: id, quantity, reservedQuantity, availableStock: quantity - reservedQuantity },
  });
  expect(rows.map(({ event }) => event)).toEqual([
    told(0, 3, 0),
    told(1, 4, 0),
    told(2, 4, 0),
    told(3, 4, 2),
    told(4, 2, 0),
  ]);
});

test('an order of a thousand lines is reserved, and so are a thousand orders at once', async () => {
  const { rows } = await sql.query<{ id: string }>(
    `INSERT INTO inventory.products (sku, name, price, quantity)
     SELECT 'LINE-' || n, 'Line ' || n, 0.01, 2000 FROM generate_series(1, 1000) n RETURNING id`,
  );
  const items = rows.map((row) => ({ productId: Number(row.id), quantity: 1 }));
  const reply = await ask('reserve', nextId(), items);
  expect(reply.items).toHaveLength(1_000);
  const replies = await Promise.all(items.map((item, i) => ask('reserve', nextId(), [item], i % 2 ? one : two)));
  expect(replies.every((each) => each.success)).toBe(true);
});
