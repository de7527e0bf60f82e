/** The catalogue: products are made, read, changed and listed, and every fault of a call is named. */
import { expect, test } from '@jest/globals';
import type { NewProduct, Product, ProductPage, StockCount } from '../../services/inventory/inventory.types.ts';
import { createDatabase } from '../support/postgres.ts';
import {
  sql,
  one,
  createProduct,
  product,
  failureOf,
  faultsOf,
  useStockNodes,
  startNode,
} from '../support/stock-nodes.ts';

useStockNodes();

test('two nodes that start at once on an empty database create one demo catalogue, and the next product is 11', async () => {
  const url = await createDatabase();
  const [first] = await Promise.all([startNode('first', url, 'true'), startNode('second', url, 'true')]);
  const { items, next } = await first.call<ProductPage, object>('inventory.list', {});
  expect(items.map((item) => item.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(next).toBeNull();
  expect(items.every((item) => item.availableStock >= 100 && item.price > 0)).toBe(true);
  const created = await first.call<Product, NewProduct>('inventory.create', {
    sku: 'TEAPOT',
    name: 'Teapot',
    price: 1,
  });
  expect(created.id).toBe(11);
});

test('a product is created, read, changed and refused a second time under its sku', async () => {
  const created = await createProduct({
    sku: 'KETTLE',
    name: 'Kettle',
    description: 'Steel',
    price: 79.5,
    initialStock: 3,
  });
  expect(created).toEqual({
    id: created.id,
    sku: 'KETTLE',
    name: 'Kettle',
    description: 'Steel',
    price: 79.5,
    quantity: 3,
    reservedQuantity: 0,
    availableStock: 3,
  });
  expect(await product(created.id)).toEqual(created);
  expect(await failureOf(createProduct({ sku: 'KETTLE' }))).toMatchObject({ type: 'DUPLICATE_SKU' });
  const changed = await one.call('inventory.update', { id: created.id, price: 80.05, description: null });
  expect(changed).toEqual({ ...created, price: 80.05, description: null });
  expect(await one.call('inventory.update', { id: created.id, name: null, price: null })).toEqual(changed);
  expect(await one.call('inventory.addStock', { id: created.id, amount: 4 })).toEqual({
    ...(changed as Product),
    quantity: 7,
    availableStock: 7,
  });
  const { id: withDefaults } = await one.call<Product, NewProduct>('inventory.create', {
    sku: 'LID',
    name: 'Lid',
    price: 0,
  });
  expect(await product(withDefaults)).toMatchObject({ description: null, quantity: 0, price: 0 });
});

test('the stock is set to what was counted, never below what is reserved, and the reason is kept', async () => {
  const { id } = await createProduct({ sku: 'COUNTED', initialStock: 10 });
  const reserved = { orderId: 7_001, items: [{ productId: id, quantity: 4 }] };
  expect(await one.call('inventory.reserve', reserved)).toMatchObject({ success: true });
  const set = (quantity: number, reason = 'count'): Promise<Product> =>
    one.call<Product, StockCount>('inventory.setStock', { id, quantity, reason });
  expect(await set(6, 'four were damaged')).toMatchObject({ quantity: 6, reservedQuantity: 4, availableStock: 2 });
  expect(await failureOf(set(3))).toMatchObject({
    type: 'STOCK_BELOW_RESERVED',
    data: { productId: id, reservedQuantity: 4 },
  });
  expect(await set(4)).toEqual(await product(id));
  expect(await set(12, 'found in the cellar')).toMatchObject({ quantity: 12, availableStock: 8 });
  const counts = await sql.query(
    'SELECT quantity_before, quantity, reason, counted_by FROM inventory.stock_counts WHERE product_id = $1 ORDER BY id',
    [id],
  );
  expect(counts.rows).toEqual([
    { quantity_before: '10', quantity: '6', reason: 'four were damaged', counted_by: 'engine' },
    { quantity_before: '6', quantity: '4', reason: 'count', counted_by: 'engine' },
    { quantity_before: '4', quantity: '12', reason: 'found in the cellar', counted_by: 'engine' },
  ]);
});

test('a reservation decided from memory sees a stock that was set meanwhile', async () => {
  const { id } = await createProduct({ sku: 'SHRUNK', initialStock: 100 });
  const reserve = (orderId: number, quantity: number) =>
    one.call('inventory.reserve', { orderId, items: [{ productId: id, quantity }] });
  expect(await reserve(7_101, 1)).toMatchObject({ success: true });
  expect(await reserve(7_102, 1)).toMatchObject({ success: true });
  await one.call('inventory.setStock', { id, quantity: 5, reason: 'count' });
  expect(await reserve(7_103, 4)).toMatchObject({ success: false, unavailableProducts: [id] });
  expect(await product(id)).toMatchObject({ quantity: 5, reservedQuantity: 2 });
});

test('a product is found by its SKU', async () => {
  const { id } = await createProduct({ sku: 'SOUGHT' });
  const found = await one.call<ProductPage, object>('inventory.list', { sku: 'SOUGHT' });
  expect([found.items.map((item) => item.id), found.next]).toEqual([[id], null]);
  expect(await one.call('inventory.list', { sku: 'sought' })).toEqual({ items: [], next: null });
});

test('a product that does not exist is not found', async () => {
  const id = 999_999_999;
  expect(await failureOf(product(id))).toMatchObject({ type: 'NOT_FOUND' });
  expect(await failureOf(one.call('inventory.addStock', { id, amount: 1 }))).toMatchObject({ type: 'NOT_FOUND' });
  expect(await failureOf(one.call('inventory.update', { id, price: 1 }))).toMatchObject({ type: 'NOT_FOUND' });
});

test('the pages of a list hold every product once, ascending', async () => {
  const { rows } = await sql.query<{ id: string }>('SELECT id FROM inventory.products ORDER BY id');
  const ids: number[] = [];
  let cursor: string | null = null;
  do {
    const page: ProductPage = await one.call('inventory.list', { limit: 7, ...(cursor && { cursor }) });
    ids.push(...page.items.map((item) => item.id));
    cursor = page.next;
  } while (cursor);
  expect(ids).toEqual(rows.map((row) => Number(row.id)));
});

test('every fault of a call is named at once, and nothing is written', async () => {
  expect(
    await faultsOf('reserve', { orderId: 1.5, items: [{ productId: 0, quantity: 1_000_000_001, price: 1 }], x: 1 }),
  ).toEqual([
    'items[0].price: unknown',
    'items[0].productId: numberPositive',
    'items[0].quantity: numberMax',
    'orderId: numberInteger',
    'x: unknown',
  ]);
  expect(await faultsOf('release', { orderId: 2 ** 53, items: [] })).toEqual(['items: arrayMin', 'orderId: numberMax']);
  const tooMany = Array.from({ length: 1_001 }, () => ({ productId: 1, quantity: 1 }));
  expect(await faultsOf('consume', { orderId: '1', items: tooMany })).toEqual(['items: arrayMax', 'orderId: number']);
  expect(
    await faultsOf('create', { sku: ' ', name: 'n\0', description: 'd'.repeat(2_001), price: 1.005, initialStock: -1 }),
  ).toEqual([
    'description: stringMax',
    'initialStock: numberMin',
    'name: stringPattern',
    'price: money',
    'sku: stringPattern',
  ]);
  expect(await faultsOf('create', {})).toEqual(['name: required', 'price: required', 'sku: required']);
  // PostgreSQL would keep another text than the one that was sent.
  expect(await faultsOf('create', { sku: 'half \ud83d', name: 'whole \u{1f600}', price: 1 })).toEqual([
    'sku: stringPattern',
  ]);
  expect(await faultsOf('addStock', { id: 1, amount: 2 ** 31 + 1 })).toEqual(['amount: numberMax']);
  expect(await faultsOf('setStock', { id: 1, quantity: -1, reason: ' ' })).toEqual([
    'quantity: numberMin',
    'reason: stringPattern',
  ]);
  expect(await faultsOf('list', { limit: 101, cursor: '' })).toEqual(['limit: numberMax']);
  expect(await faultsOf('list', { cursor: 'nonsense' })).toEqual(['cursor: cursor']);
});

test('an amount that would take the stock over its maximum is refused', async () => {
  const { id } = await createProduct({ initialStock: Number.MAX_SAFE_INTEGER });
  expect(await faultsOf('addStock', { id, amount: 1 })).toEqual(['amount: stockMax']);
  expect(await product(id)).toMatchObject({ quantity: Number.MAX_SAFE_INTEGER });
});

test('none of the actions that moleculer-db generates is published', async () => {
  const actions = one.registry.getActionList({ onlyLocal: true }) as { name: string }[];
  const names = actions.map((action) => action.name);
  expect(names).toContain('inventory.get');
  for (const generated of ['find', 'count', 'insert', 'remove']) expect(names).not.toContain(`inventory.${generated}`);
  expect(await faultsOf('get', { id: 1, populate: 'x' })).toEqual(['populate: unknown']);
  expect(await faultsOf('list', { query: {}, searchFields: 'sku' })).toEqual([
    'query: unknown',
    'searchFields: unknown',
  ]);
});
