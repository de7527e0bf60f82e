/** The inventory service on a real PostgreSQL, through brokers in this process. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { ServiceBroker } from 'moleculer';
import pg from 'pg';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import type {
  NewProduct,
  OrderItem,
  Product,
  ProductPage,
  StockReply,
} from '../../services/inventory/inventory.types.ts';
import inventory from '../../services/inventory/inventory.service.ts';
import { createDatabase } from '../support/postgres.ts';
import { programBroker } from '../support/broker.ts';

let sql: pg.Pool;
let one: ServiceBroker;
let two: ServiceBroker;
let lastId = 0;
const nextId = (): number => ++lastId;

async function startNode(nodeID: string, url: string, demoCatalog = 'true'): Promise<ServiceBroker> {
  const broker = programBroker(
    { NODEID: nodeID, DATABASE_URL: url, DEMO_CATALOG: demoCatalog },
    // Connections are cut here by the dozen; what a breaker makes of that is another test's.
    { circuitBreaker: { enabled: false } },
  );
  broker.createService(inventory);
  await broker.start();
  return broker;
}

beforeAll(async () => {
  const url = await createDatabase();
  sql = new pg.Pool({ connectionString: url });
  sql.on('error', () => undefined);
  // Both at once, on an empty database.
  [one, two] = await Promise.all([startNode('one', url), startNode('two', url)]);
  // The relay deletes what it has published, so the events are copied as they are written.
  await sql.query(`
    CREATE SCHEMA told;
    CREATE TABLE told.events (id bigint, events json);
    CREATE FUNCTION told.copy() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO told.events VALUES (new.id, new.events); RETURN new; END';
    CREATE TRIGGER copy AFTER INSERT ON inventory.outbox FOR EACH ROW EXECUTE FUNCTION told.copy()`);
});

afterAll(async () => {
  await Promise.all([one?.stop(), two?.stop()]);
  await sql?.end();
});

afterEach(async () => {
  // Whatever a test did, the books balance.
  const { rows } = await sql.query(`
    SELECT p.id, p.reserved_quantity, coalesce(sum(l.quantity) FILTER (WHERE l.status = 'HELD'), 0) AS held
      FROM inventory.products p LEFT JOIN inventory.reservation_lines l ON l.product_id = p.id
     GROUP BY p.id HAVING p.reserved_quantity <> coalesce(sum(l.quantity) FILTER (WHERE l.status = 'HELD'), 0)`);
  expect(rows).toEqual([]);
});

type StockAction = 'reserve' | 'release' | 'consume';

function ask(action: StockAction, orderId: number, items: OrderItem[], broker = one): Promise<StockReply> {
  return broker.call(`inventory.${action}`, { orderId, items });
}

function createProduct(given: Partial<NewProduct> = {}): Promise<Product> {
  return one.call('inventory.create', {
    sku: `SKU-${nextId()}`,
    name: 'Teapot',
    price: 19.9,
    initialStock: 10,
    ...given,
  });
}

function product(id: number): Promise<Product> {
  return one.call('inventory.get', { id });
}

/** The type, status and data of the error a call ends with. */
async function failureOf(call: Promise<unknown>): Promise<{ type: string; code: number; data: unknown }> {
  try {
    await call;
  } catch (error) {
    return error as { type: string; code: number; data: unknown };
  }
  throw new Error('the call succeeded');
}

/** The faults of a refused call: its fields and what is wrong with each. */
async function faultsOf(action: string, params: unknown): Promise<string[]> {
  const { data } = await failureOf(one.call(`inventory.${action}`, params as object));
  const { details } = data as { details: { field: string; type: string }[] };
  return details.map(({ field, type }) => `${field}: ${type}`).toSorted();
}

test('two nodes that start at once on an empty database make one demo catalogue, and the next product is 11', async () => {
  const { items, next } = await one.call<ProductPage, object>('inventory.list', {});
  expect(items.map((item) => item.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(next).toBeNull();
  expect(items.every((item) => item.availableStock >= 100 && item.price > 0)).toBe(true);
  const created = await createProduct();
  expect(created.id).toBe(11);
});

test('of thirty buyers at once of five units, five get the twenty-five there are', async () => {
  const { id } = await createProduct({ initialStock: 25 });
  const replies = await Promise.all(
    Array.from({ length: 30 }, () => ask('reserve', nextId(), [{ productId: id, quantity: 5 }])),
  );
  expect(replies.filter((reply) => reply.success)).toHaveLength(5);
  for (const reply of replies.filter((refused) => !refused.success)) {
    expect(reply).toEqual({
      success: false,
      message: `Product ID ${id} has insufficient stock`,
      unavailableProducts: [id],
    });
  }
  expect(await product(id)).toMatchObject({ quantity: 25, reservedQuantity: 25, availableStock: 0 });
});

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

test('an order that lacks one product gets none, and its refusal stands when stock comes', async () => {
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

test('an order id with other items is a conflict', async () => {
  const { id } = await createProduct();
  const orderId = nextId();
  await ask('reserve', orderId, [{ productId: id, quantity: 1 }]);
  expect(await failureOf(ask('reserve', orderId, [{ productId: id, quantity: 2 }]))).toMatchObject({
    type: 'ORDER_ID_REUSED',
  });
  expect(await product(id)).toMatchObject({ reservedQuantity: 1 });
});

test('two nodes that reserve the same products and the same orders never oversell, and answer each order one way', async () => {
  const products = await Promise.all([40, 60, 50].map((initialStock) => createProduct({ initialStock })));
  const orders = Array.from({ length: 100 }, (_, i) => ({
    orderId: nextId(),
    // Against each other's order, so that unordered locks would meet.
    items: (i % 2 ? products : products.toReversed()).map(({ id }, j) => ({
      productId: id,
      quantity: 1 + ((i + j) % 2),
    })),
  }));
  const [first, second] = await Promise.all(
    [one, two].map((broker) =>
      Promise.all(
        (broker === one ? orders : orders.toReversed()).map((o) => ask('reserve', o.orderId, o.items, broker)),
      ),
    ),
  );
  expect((second as StockReply[]).toReversed()).toEqual(first);
  const taken = new Map(products.map(({ id }) => [id, 0]));
  for (const reply of first as StockReply[]) {
    for (const item of reply.items ?? [])
      taken.set(item.productId, (taken.get(item.productId) as number) + item.quantity);
  }
  for (const { id, quantity } of products) {
    expect((await product(id)).reservedQuantity).toBe(taken.get(id));
    expect(taken.get(id)).toBeLessThanOrEqual(quantity);
  }
  expect((first as StockReply[]).some((reply) => reply.success)).toBe(true);
  expect((first as StockReply[]).some((reply) => !reply.success)).toBe(true);
});

test('two nodes that meet at one order id with different products keep one of them', async () => {
  for (let round = 0; round < 20; round++) {
    const [a, b] = await Promise.all([createProduct(), createProduct()]);
    const orderId = nextId();
    const outcomes = await Promise.allSettled([
      ask('reserve', orderId, [{ productId: a.id, quantity: 1 }], one),
      ask('reserve', orderId, [{ productId: b.id, quantity: 1 }], two),
    ]);
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(lost?.reason).toMatchObject({ type: 'ORDER_ID_REUSED' });
  }
});

test('a poisoned order fails alone', async () => {
  const { id } = await createProduct({ initialStock: 1000 });
  const poisoned = nextId();
  await sql.query(`ALTER TABLE inventory.reservations ADD CONSTRAINT poison CHECK (order_id <> ${poisoned})`);
  try {
    const ids = [...Array.from({ length: 20 }, nextId), poisoned, ...Array.from({ length: 20 }, nextId)];
    const outcomes = await Promise.allSettled(
      ids.map((orderId) => ask('reserve', orderId, [{ productId: id, quantity: 1 }])),
    );
    expect(ids.filter((_, i) => outcomes[i]?.status === 'rejected')).toEqual([poisoned]);
    expect(await product(id)).toMatchObject({ reservedQuantity: 40 });
  } finally {
    await sql.query('ALTER TABLE inventory.reservations DROP CONSTRAINT poison');
  }
});

test('connections that break under load lose no order and add no stock twice', async () => {
  const { id } = await createProduct({ initialStock: 100_000 });
  const orders = Array.from({ length: 400 }, nextId);
  const items = [{ productId: id, quantity: 1 }];
  const cut = new AbortController();
  const cutting = (async () => {
    while (!cut.signal.aborted) {
      await sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'waybill inventory'`,
      );
    }
  })();
  const additions: Promise<unknown>[] = [];
  const outcomes: PromiseSettledResult<StockReply>[] = [];
  for (let i = 0; i < orders.length; i += 40) {
    additions.push(one.call('inventory.addStock', { id, amount: 1 }));
    outcomes.push(
      ...(await Promise.allSettled(orders.slice(i, i + 40).map((orderId) => ask('reserve', orderId, items)))),
    );
  }
  const added = await Promise.allSettled(additions);
  cut.abort();
  await cutting;

  for (const outcome of [...outcomes, ...added]) {
    if (outcome.status === 'rejected')
      expect(outcome.reason).toMatchObject({ type: 'SERVICE_UNAVAILABLE', retryable: true });
  }
  // What failed is asked again, as its caller would.
  const replies = await Promise.all(orders.map((orderId) => ask('reserve', orderId, items)));
  expect(replies.every((reply) => reply.success)).toBe(true);
  const { quantity, reservedQuantity } = await product(id);
  expect(reservedQuantity).toBe(orders.length);
  const certain = added.filter((outcome) => outcome.status === 'fulfilled').length;
  expect(quantity).toBeGreaterThanOrEqual(100_000 + certain);
  expect(quantity).toBeLessThanOrEqual(100_000 + added.length);
});

test('every change of stock is told once, in order, and names its revision', async () => {
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
  expect(await faultsOf('list', { limit: 101, cursor: '' })).toEqual(['limit: numberMax']);
  expect(await faultsOf('list', { cursor: 'nonsense' })).toEqual(['cursor: cursor']);
});

test('stock that would pass its bound is refused as a fault of the amount', async () => {
  const { id } = await createProduct({ initialStock: Number.MAX_SAFE_INTEGER });
  expect(await faultsOf('addStock', { id, amount: 1 })).toEqual(['amount: stockMax']);
  expect(await product(id)).toMatchObject({ quantity: Number.MAX_SAFE_INTEGER });
});

test('an order of a thousand lines is reserved, and a thousand orders at once are', async () => {
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
