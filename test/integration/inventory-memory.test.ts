/** What a node remembers of its products may be out of date: nothing that it decides on it may be. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ServiceBroker } from 'moleculer';
import pg from 'pg';
import type { Product, StockReply } from '../../services/inventory/inventory.types.ts';
import { createDatabase } from '../support/postgres.ts';
import { afterTheFile } from '../support/endings.ts';
import { startNode } from '../support/stock-nodes.ts';

let sql: pg.Pool;
let one: ServiceBroker;
let two: ServiceBroker;
let last = 0;

beforeAll(async () => {
  const url = await createDatabase();
  sql = new pg.Pool({ connectionString: url });
  sql.on('error', () => undefined);
  afterTheFile(() => sql.end());
  one = await startNode('one', url);
  two = await startNode('two', url);
});

let id: number;
beforeEach(async () => {
  const params = { sku: `SKU-${++last}`, name: 'Teapot', price: 10, initialStock: 10 };
  ({ id } = await one.call<Product, object>('inventory.create', params));
  // The node has met the product: from here on it remembers it.
  expect(await reserve(one, 1)).toMatchObject({ success: true });
});

const reserve = (node: ServiceBroker, quantity: number): Promise<StockReply> =>
  node.call('inventory.reserve', { orderId: ++last, items: [{ productId: id, quantity }] });

const reserved = async (): Promise<number> =>
  (await one.call<Product, object>('inventory.get', { id })).reservedQuantity;

test('another node changed the price: the next order gets the new one', async () => {
  await two.call('inventory.update', { id, price: 25.5 });
  expect((await reserve(one, 1)).items).toEqual([{ productId: id, quantity: 1, price: 25.5 }]);
});

test('another node sold the rest: the order is refused, and nothing of it is held', async () => {
  expect(await reserve(two, 9)).toMatchObject({ success: true });
  expect(await reserve(one, 1)).toMatchObject({ success: false, unavailableProducts: [id] });
  expect(await reserved()).toBe(10);
});

test('a product that was sold out as this node knew it, and has stock again, is sold', async () => {
  expect(await reserve(one, 9)).toMatchObject({ success: true });
  expect(await reserve(one, 1)).toMatchObject({ success: false });
  await two.call('inventory.addStock', { id, amount: 5 });
  expect(await reserve(one, 5)).toMatchObject({ success: true });
  expect(await reserved()).toBe(15);
});

test('what an operator takes out of the stock by hand is not sold', async () => {
  await sql.query('UPDATE inventory.products SET quantity = 3 WHERE id = $1', [id]);
  expect(await reserve(one, 5)).toMatchObject({ success: false });
  expect(await reserve(one, 2)).toMatchObject({ success: true });
  expect(await reserved()).toBe(3);
});

test('nodes that sell one product side by side each take their share, and none is lost', async () => {
  await one.call('inventory.addStock', { id, amount: 1_000 });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => reserve(i % 2 ? one : two, 1)));
  expect(answers.filter((answer) => answer.success)).toHaveLength(200);
  expect(await reserved()).toBe(201);
});
