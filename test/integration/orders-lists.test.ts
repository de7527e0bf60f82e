/** Customers' lists that are asked for together: each caller gets its own customer's page, whole and newest first. */
import { beforeAll, expect, test } from '@jest/globals';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';

const CUSTOMERS = 40;
const ORDERS_EACH = 3;

interface Listed {
  orderId: number;
}

let engine: Engine;
/** The orders of each customer, newest first. */
const placed = new Map<number, number[]>();
beforeAll(async () => {
  engine = await startEngine();
  const body = bodyOf(await engine.product({ stock: 1_000 }));
  for (let nth = 0; nth < ORDERS_EACH; nth++) {
    await Promise.all(
      Array.from({ length: CUSTOMERS }, async (_, customer) => {
        const customerId = 7_000 + customer;
        const { body: order } = await engine.post({ ...body, customerId });
        placed.set(customerId, [order.orderId as number, ...(placed.get(customerId) ?? [])]);
      }),
    );
  }
});

const idsOf = (orders: Listed[]): number[] => orders.map(({ orderId }) => orderId);

const page = (customerId: number, limit: number, cursor?: string) =>
  engine.broker.call<{ items: Listed[]; next: string | null }, object>('orders.listByCustomer', {
    customerId,
    limit,
    ...(cursor !== undefined && { cursor }),
  });

test('lists that share a statement are not mixed up, and a customer without orders has an empty one', async () => {
  const asked = [...placed.keys(), 9_999];
  const lists = await Promise.all(
    asked.map((customerId) => engine.send<Listed[]>('GET', `/orders/customer/${customerId}`)),
  );
  expect(lists.map(({ body }) => idsOf(body))).toEqual(asked.map((customerId) => placed.get(customerId) ?? []));
});

test('pages of different lengths, asked for together, each go on where the one before ended', async () => {
  const [one, other] = [...placed] as [[number, number[]], [number, number[]]];
  const [first, whole] = await Promise.all([page(one[0], 2), page(other[0], ORDERS_EACH)]);
  expect(idsOf(first.items)).toEqual(one[1].slice(0, 2));
  expect([idsOf(whole.items), whole.next]).toEqual([other[1], null]);
  const rest = await page(one[0], 2, first.next as string);
  expect([idsOf(rest.items), rest.next]).toEqual([one[1].slice(2), null]);
});
