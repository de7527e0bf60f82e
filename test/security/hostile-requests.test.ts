/** Requests that are sound as HTTP and hostile inside, over real HTTP against the real engine: refused by name, never 5xx. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Engine, startEngine } from '../support/engine.ts';
import type { Reply } from '../support/http.ts';

interface Refusal {
  error: string;
  message: string;
  details?: { field: string; message: string }[];
}

let engine: Engine;
let productId: number;
let trackingNumber: string;
beforeAll(async () => {
  engine = await startEngine();
  productId = await engine.product();
  trackingNumber = (await engine.confirmed(productId)).trackingNumber as string;
});

const bodies = {
  order: () => ({ customerId: 1, items: [{ productId, quantity: 1 }], deliveryAddress: 'x', carrier: 'DHL' }),
  product: () => ({ sku: `sku ${Math.random()}`, name: 'Cup', price: 1 }),
  shipment: () => ({ orderId: 5, deliveryAddress: 'x', carrier: 'DHL' }),
  event: () => ({ status: 'IN_TRANSIT' }),
};
type Kind = keyof typeof bodies;
const path = (kind: Kind): string =>
  ({
    order: '/orders',
    product: '/inventory',
    shipment: '/tracking/shipment',
    event: `/tracking/${trackingNumber}/events`,
  })[kind];

/** Sends JSON text to the endpoint that creates things of a kind. */
const make = (kind: Kind, text: string): Promise<Reply<Refusal>> =>
  engine.send<Refusal>('POST', path(kind), { body: text });

const withField = (kind: Kind, field: string, value: unknown): string =>
  JSON.stringify({ ...bodies[kind](), [field]: value });

const TEXTS: [Kind, string][] = [
  ['order', 'deliveryAddress'],
  ['order', 'carrier'],
  ['order', 'customerName'],
  ['product', 'sku'],
  ['product', 'name'],
  ['product', 'description'],
  ['shipment', 'customerName'],
  ['shipment', 'deliveryAddress'],
  ['shipment', 'carrier'],
  ['event', 'status'],
  ['event', 'location'],
  ['event', 'details'],
  ['event', 'timestamp'],
  ['event', 'note'],
];

describe('a text that cannot be stored', () => {
  test.each(TEXTS)('is refused in the %s, in the field %s', async (kind, field) => {
    for (const text of ['a\0b', 'a\ud800b', '\udc00']) {
      const { status, body } = await make(kind, withField(kind, field, text));
      expect([status, body.details?.map((fault) => fault.field)]).toEqual([400, [field]]);
    }
  });

  test('is refused inside of free fields, and as the name of one', async () => {
    for (const text of ['a\0b', '\ud800']) {
      for (const note of [[text], { a: { b: text } }, { [text]: 1 }])
        expect((await make('event', withField('event', 'note', note))).body.details?.[0]?.field).toBe('note');
      expect((await make('event', withField('event', text, 1))).status).toBe(400);
    }
  });

  test.each(['a%00b', '%ED%A0%80', '%FF', '%', '..%2f..%2fetc', '__proto__', 'constructor', 'x'.repeat(9_000)])(
    'leads nowhere in an address: %s',
    async (segment) => {
      const asked = ['/orders/', '/tracking/', '/inventory/', '/orders/customer/'].map((base) => base + segment);
      for (const address of asked) {
        const { status, body } = await engine.send<Refusal>('GET', address);
        expect([status, body.error]).toEqual([404, 'Not Found']);
        expect(body.message.length).toBeLessThan(200);
      }
    },
  );

  test.each(['cursor=a%00b', 'cursor=%ED%A0%80', 'from=%00', 'status=%FF', '__proto__=1', 'constructor=1'])(
    'is refused in a query: %s',
    async (query) => {
      const { status, body } = await engine.send<Refusal>('GET', `/orders?${query}`);
      expect([status, body.details?.map((fault) => fault.field)]).toEqual([400, [query.split('=')[0]]]);
    },
  );
});

describe('an invalid number', () => {
  test.each<[Kind, string]>([
    ['order', 'customerId'],
    ['product', 'price'],
    ['product', 'initialStock'],
    ['shipment', 'orderId'],
  ])('is refused in the %s, in the field %s', async (kind, field) => {
    for (const number of ['1e400', '-1e400', '-1', '1.005', '9007199254740993', 'true', '"1"', '[1]']) {
      const text = withField(kind, field, 'HERE').replace('"HERE"', number);
      const { status, body } = await make(kind, text);
      expect([number, status, body.details?.map((fault) => fault.field)]).toEqual([number, 400, [field]]);
    }
  });

  test('is refused among free fields: JSON has no infinity to give back', async () => {
    const { body } = await make('event', '{"status":"X","details":{"weight":[1e400]}}');
    expect(body.details).toEqual([expect.objectContaining({ field: 'details' })]);
  });
});

describe('a field that means something to the language', () => {
  test.each(Object.keys(bodies) as Kind[])('is refused in the %s', async (kind) => {
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const text = JSON.stringify(bodies[kind]()).replace('{', `{"${name}":{"polluted":true},`);
      expect((await make(kind, text)).status).toBe(400);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('a field that is not for the caller to set', () => {
  test.each<[Kind, string[]]>([
    ['order', ['status', 'totalPrice', 'orderId', 'orderNumber', 'orderDate', 'trackingNumber', 'idempotencyKey']],
    ['product', ['id', 'quantity', 'reservedQuantity', 'availableStock']],
    ['shipment', ['status', 'trackingNumber', 'estimatedDelivery', 'events']],
  ])('is refused by its name in the %s', async (kind, fields) => {
    const set = Object.fromEntries(fields.map((field) => [field, 1]));
    const { status, body } = await make(kind, JSON.stringify({ ...bodies[kind](), ...set }));
    expect([status, body.details?.map((fault) => fault.field).toSorted()]).toEqual([400, fields.toSorted()]);
  });

  test('is refused in an item too: the price is not the one of who buys', async () => {
    const { status, body } = await make(
      'order',
      withField('order', 'items', [{ productId, quantity: 1, price: 0.01 }]),
    );
    expect([status, body.details?.map((fault) => fault.field)]).toEqual([400, ['items[0].price']]);
  });

  test('is refused where a product is changed', async () => {
    const address = `/inventory/${productId}`;
    const { status, body } = await engine.send<Refusal>('PUT', address, { body: '{"name":"Cup","quantity":9}' });
    expect([status, body.details?.map((fault) => fault.field)]).toEqual([400, ['quantity']]);
  });
});

const many = (text: string, bytes: number): string =>
  Array.from({ length: Math.floor(bytes / (text.length + 1)) }, () => text).join(',');
const withItems = (items: string): string => JSON.stringify(bodies.order()).replace(/\[.*\]/, `[${items}]`);

describe('a body made to be expensive', () => {
  test.each([
    ['endless items', () => withItems(many('{}', 1_000_000)), 'fields and elements'],
    [
      'endless fields',
      () => `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join()}}`,
      'fields and elements',
    ],
    ['endless nesting', () => `{"items":${'['.repeat(500_000)}${']'.repeat(500_000)}}`, 'nested deeper'],
    ['a duplicate field', () => '{"customerId":1,"customerId":2}', "'customerId' twice"],
  ])('with %s is refused in a few words', async (_, text, words) => {
    const { status, body } = await make('order', text());
    expect([status, body.error]).toEqual([400, 'Bad Request']);
    expect(body.message).toContain(words);
  });

  test('gets an answer much shorter than itself, whatever is wrong with it', async () => {
    for (const text of [withItems(many('{}', 14_000)), withItems(many('{"productId":"x","colour":1}', 28_000))]) {
      const { status, body } = await make('order', text);
      expect(status).toBe(400);
      expect(JSON.stringify(body).length).toBeLessThan(text.length);
      expect(body.details?.length).toBeLessThanOrEqual(100);
    }
  });
});
