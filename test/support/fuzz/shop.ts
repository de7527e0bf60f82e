/** A shop with data, so that about half of the fuzzed requests find what they ask for. */
import fc, { type Arbitrary } from 'fast-check';
import { eventually } from '../eventually.ts';
import type { Hints } from './from-schema.ts';

/** Sends one request below `/api/v1`. */
export type Send = (method: string, path: string, body?: object) => Promise<{ status: number; body: unknown }>;

export interface Shop {
  products: number[];
  /** Orders by number and by `ORD-…`, CONFIRMED at first. */
  orders: (number | string)[];
  /** Shipments that belong to none of these orders. */
  trackingNumbers: string[];
}

const ORDERS = 150;
/** Orders of peers that are not ours: reservations and shipments are made for them directly, by number. */
const FOREIGN_ORDERS = 60;
const PLENTY = 1_000_000_000;
const CUSTOMERS = 30;

/** Fills an empty engine. */
export async function openShop(send: Send): Promise<Shop> {
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await send('POST', path, body);
    if (answer.status !== 201) throw new Error(`POST ${path} was answered ${answer.status}`);
    return answer.body as Record<string, unknown>;
  };
  const products: number[] = [];
  for (const [sku, initialStock] of [
    ['CUP', PLENTY],
    ['POT', PLENTY],
    ['RARE', 40],
  ] as const) {
    products.push((await ask('/inventory', { sku, name: sku, price: 9.99, initialStock })).id as number);
  }
  const [cup] = products;
  const placed = await Promise.all(
    Array.from({ length: ORDERS }, (_, i) => ask('/orders', orderOf(1_000 + i, cup as number))),
  );
  const shipments = await Promise.all(
    Array.from({ length: FOREIGN_ORDERS / 2 }, (_, i) =>
      ask('/tracking/shipment', { orderId: i + 1, deliveryAddress: '1 Quay Street, Galway', carrier: 'DHL' }),
    ),
  );
  return {
    products,
    orders: placed.flatMap(({ orderId, orderNumber }) => [orderId as number, orderNumber as string]),
    trackingNumbers: shipments.map(({ trackingNumber }) => trackingNumber as string),
  };
}

/** The body of an order that must be taken. */
export function orderOf(customerId: number, productId: number) {
  return {
    customerId,
    items: [{ productId, quantity: 1 }],
    deliveryAddress: '1 Quay Street, Galway',
    carrier: 'DHL',
  };
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Cursors as they are handed out, and what else somebody may put in their place. */
const CURSORS: Arbitrary<string> = fc.oneof(
  fc.constantFrom('2', '10', ...[[2], [PLENTY], [9.99, 2 ** 47], [0, 1]].map(base64)),
  fc.constantFrom(
    ...[[], [0], [-1], [1.5], [1e308], [2 ** 53], [2 ** 63], ['1'], [null], [[1]], { length: 1 }, '1', null].map(
      base64,
    ),
    ...[
      [1e308, 1],
      [1, 1e308],
      [0.001, 1.5],
      [-1e21, 2 ** 64],
    ].map(base64),
    'AAAA',
    '====',
    '9'.repeat(30),
  ),
);

/** What the fields of the engine's actions mean. */
export function hintsOf(shop: Shop): Hints {
  const instants = fc.constantFrom('2026-01-31', '2026-01-31T09:30:00Z', '0001-01-01T00:00:00Z', '9999-12-31');
  return {
    'orders.id': fc.constantFrom(...shop.orders),
    'api.id': fc.constantFrom(...shop.orders),
    'inventory.id': fc.constantFrom(...shop.products),
    'tracking.status': fc.constantFrom('IN_TRANSIT', 'customs_hold', 'DELIVERED'),
    productId: fc.constantFrom(...shop.products),
    trackingNumber: fc.constantFrom(...shop.trackingNumbers),
    orderId: fc.integer({ min: 1, max: FOREIGN_ORDERS }),
    customerId: fc.integer({ min: 1, max: CUSTOMERS }),
    quantity: fc.integer({ min: 1, max: 3 }),
    price: fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 100),
    ifMatch: fc.array(fc.constantFrom('*', '1', '2', '3', '4', 'W/"3"'), { maxLength: 3 }),
    cursor: CURSORS,
    from: instants,
    to: instants,
    timestamp: instants.map((text) => (text.includes('T') ? text : `${text}T00:00:00Z`)),
  };
}

interface Disagreement {
  orderId?: number;
  kind: string;
}

/**
 * What the books disagree about, once everything is at rest. What was reserved and shipped for orders of others, which
 * this engine does not know, is no disagreement.
 */
export async function disagreements(send: Send): Promise<Disagreement[]> {
  return await eventually(async () => {
    const unfinished = await unfinishedOrders(send);
    if (unfinished > 0) throw new Error(`${unfinished} orders are not at rest`);
    const { body } = await send('GET', '/reports/reconciliation');
    const all = body as Disagreement[];
    // The report is cut at its limit, those of orders first.
    if (all.length >= 1_000) throw new Error('there are too many disagreements to see those of products');
    return all.filter(({ kind }) => !kind.endsWith('_WITHOUT_ORDER'));
  });
}

async function unfinishedOrders(send: Send): Promise<number> {
  const found = await Promise.all(
    ['inventory', 'tracking'].map((peer) => send('GET', `/orders?waitingFor=${peer}&limit=200`)),
  );
  return found.reduce((sum, { body }) => sum + (body as { orders: unknown[] }).orders.length, 0);
}
