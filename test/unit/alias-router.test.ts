/** Which alias a path leads to: fixed names before parameters, one spelling, and nothing that a caller can make expensive. */
import { describe, expect, test } from '@jest/globals';
import type { GatewayAlias } from '../../mixins/gateway/gateway.types.ts';
import { AliasRouter } from '../../mixins/gateway/routes/alias-router.ts';

const aliases = (...lines: string[]): GatewayAlias[] =>
  lines.map((line) => {
    const [method = '', fullPath = ''] = line.split(' ');
    return { method, fullPath, label: fullPath } as GatewayAlias;
  });

const router = new AliasRouter(
  aliases(
    'GET /orders',
    'POST /orders',
    'GET /orders/:id',
    'PUT /orders/:id/ship',
    'GET /orders/customer/:customerId',
    'POST /orders/bulk',
    'GET /',
  ),
);

/** The path that was declared, and the values of its parameters. */
function found(path: string): [declared: string, params: Record<string, string>] | undefined {
  const match = router.find(path);
  const [alias] = match?.methods.values() ?? [];
  return match && alias && [alias.fullPath, match.params];
}

test.each<[string, string, Record<string, string>]>([
  ['/', '/', {}],
  ['/orders', '/orders', {}],
  ['/orders/7', '/orders/:id', { id: '7' }],
  ['/orders/customer', '/orders/:id', { id: 'customer' }],
  ['/orders/customer/7', '/orders/customer/:customerId', { customerId: '7' }],
  ['/orders/cust/ship', '/orders/:id/ship', { id: 'cust' }],
  ['/orders/customer/ship', '/orders/customer/:customerId', { customerId: 'ship' }],
  ['/%6frders/7', '/orders/:id', { id: '7' }],
  ['/orders/a%2Fb', '/orders/:id', { id: 'a/b' }],
  ['/orders/%252F', '/orders/:id', { id: '%2F' }],
  ['/orders/%F0%9F%93%A6', '/orders/:id', { id: '📦' }],
  ['/orders/a;b=c', '/orders/:id', { id: 'a;b=c' }],
  ['/orders/..', '/orders/:id', { id: '..' }],
  ['/orders/__proto__', '/orders/:id', { id: '__proto__' }],
])('%s leads to %s', (path, declared, params) => {
  expect(found(path)).toEqual([declared, params]);
});

test.each([
  '',
  '*',
  '//',
  '/orders/',
  '//orders',
  '/orders//ship',
  '/ORDERS',
  '/orders/7/SHIP',
  '/orders/7/ship/now',
  '/orders%2F7',
  '/orders/7#top',
  '/orders/%',
  '/orders/%2',
  '/orders/%zz',
  '/orders/%E0%A4%A',
  '/orders/%C0%AF',
  '/constructor',
])('%j leads nowhere', (path) => {
  expect(found(path)).toBeUndefined();
});

test('a fixed name wins over a parameter, whatever the method is', () => {
  expect([...(router.find('/orders/bulk')?.methods.keys() ?? [])]).toEqual(['POST']);
});

test('the methods of a path are listed in the order of their declaration', () => {
  expect([...(router.find('/orders')?.methods.keys() ?? [])]).toEqual(['GET', 'POST']);
});

test('a parameter may be as long as an address can be', () => {
  const id = 'x'.repeat(16_000);
  expect(found(`/orders/${id}`)).toEqual(['/orders/:id', { id }]);
});

describe('an invalid declaration is refused at the start', () => {
  test.each([
    ['a path twice for a method', ['GET /a/:id', 'GET /a/:id']],
    ['one parameter by two names', ['GET /a/:id', 'PUT /a/:name']],
    ['a wildcard', ['GET /a/*']],
    ['a pattern', ['GET /a/:id(\\d+)']],
    ['a parameter that may be missing', ['GET /a/:id?']],
    ['two parameters in one segment', ['GET /a/:from-:to']],
  ])('%s', (_, lines) => {
    expect(() => new AliasRouter(aliases(...lines))).toThrow();
  });
});

test('hostile paths take no longer than others of their length', () => {
  const hostile = [
    '/orders/'.repeat(2_000),
    `/orders/${'%25'.repeat(5_000)}`,
    '/'.repeat(16_000),
    `/${'a/'.repeat(8_000)}`,
  ];
  const startedAt = performance.now();
  for (const path of hostile) for (let i = 0; i < 20; i++) router.find(path);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
