/** Two nodes on one stock: many buyers at once, connections that break, and an order that poisons its batch. */
import { expect, test } from '@jest/globals';
import type { StockReply } from '../../services/inventory/inventory.types.ts';
import { sql, one, two, nextId, ask, createProduct, product, useStockNodes } from '../support/stock-nodes.ts';

useStockNodes();

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

test('when two nodes reserve different products under one order id, exactly one reservation wins', async () => {
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

test('connections that break under load lose no order and apply no change of stock twice', async () => {
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
