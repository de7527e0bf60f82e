/** The headers of every answer: what browsers must not do with it, and whose pages may read it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Answer,
  type Gateway,
  gateway,
  get,
  JSON_TYPE,
  MAX_BODY,
  ORDER_BODY,
  post,
  put,
} from '../support/gateway.ts';
import { raw, send, STAND_INS, startGateway, useGateway } from '../support/gateway.ts';

useGateway();

const PROTECTION = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

describe('every answer', () => {
  test.each<[string, () => Promise<Answer>, number]>([
    ['an order', () => get('/orders/7'), 200],
    ['an unchanged order', () => get('/orders/7', { 'if-none-match': '"4"' }), 304],
    ['a list', () => get('/inventory'), 200],
    ['what was made', () => post('/orders', ORDER_BODY), 201],
    ['a command', () => put('/orders/7/ship'), 204],
    ['a probe', () => send('GET', '/health/live'), 200],
    ['metrics', () => send('GET', '/metrics'), 200],
    ['nothing there', () => send('GET', '/nothing'), 404],
    ['a wrong method', () => send('DELETE', '/api/v1/orders/7'), 405],
    ['what is allowed', () => send('OPTIONS', '/api/v1/orders/7'), 204],
    ['a bad body', () => post('/orders', {}), 400],
    ['a long body', () => send('POST', '/api/v1/orders', { headers: JSON_TYPE, body: 'x'.repeat(MAX_BODY + 1) }), 413],
    ['HEAD', () => send('HEAD', '/api/v1/orders/7'), 200],
  ])('protects: %s', async (_, ask, status) => {
    const { headers, status: answered } = await ask();
    expect(answered).toBe(status);
    expect(headers).toMatchObject(PROTECTION);
    expect(headers['cache-control']).toBe(headers.etag === undefined ? 'no-store' : 'private, no-cache');
    expect(Object.keys(headers).filter((name) => /^(server|x-powered-by|access-control-.*|vary)$/.test(name))).toEqual(
      [],
    );
  });

  test.each([
    ['nonsense', 'HELLO\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['no host, and a body on leave', 'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n', 400],
    ['a strange expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n', 417],
    ['long headers', `GET / HTTP/1.1\r\nHost: x\r\nBig: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a long query', `GET /api/v1/orders?cursor=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('protects, is JSON and says what is wrong, also to %s', async (_, text, status) => {
    const answer = await raw(text);
    expect(answer).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n\\{"error":"[^"]+","message":"[^"]+"\\}$`),
    );
    const lines = answer.toLowerCase().split('\r\n');
    for (const [name, value] of Object.entries(PROTECTION)) expect(lines).toContain(`${name}: ${value.toLowerCase()}`);
    expect(lines).toEqual(expect.arrayContaining(['cache-control: no-store', 'connection: close']));
  });

  test('no header is dropped, however many there are', async () => {
    const many = Array.from({ length: 2_500 }, (_, i) => `a${i % 10}:\r\n`).join('');
    const answer = await raw(
      `GET /api/v1/orders/7 HTTP/1.1\r\nHost: x\r\n${many}If-None-Match: "4"\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 304 /);
  });
});

describe('methods', () => {
  test.each(['TRACE', 'PATCH', 'PUT', 'PROPFIND'])(
    '%s where it is not allowed is answered 405 with what is',
    async (method) => {
      const answer = await send(method, '/api/v1/orders', { headers: { 'x-secret': 'sesame' } });
      expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, GET, HEAD, OPTIONS']);
      expect(answer.text).not.toContain('sesame');
    },
  );

  test('CONNECT is answered 405', async () => {
    const answer = await raw('CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n');
    expect(answer).toMatch(
      /^HTTP\/1\.1 405 Method Not Allowed\r\n[^]*Allow: [^]*\{"error":"Method Not Allowed","message":"/,
    );
    expect(answer).not.toContain('internal');
  });

  test('HEAD is refused as GET is', async () => {
    const answer = await send('HEAD', '/api/v1/orders/7/ship');
    expect([answer.status, answer.headers.allow, answer.text]).toEqual([405, 'PUT, OPTIONS', '']);
  });
});

describe('pages of other origins', () => {
  const SHOP = 'https://shop.example';
  let open: Gateway;
  beforeAll(async () => {
    open = await startGateway(STAND_INS, { corsOrigins: [SHOP, 'http://localhost:3000'] });
  });

  const from = (origin: string, more: Record<string, string> = {}) => ({
    headers: { origin, ...more },
    port: open.port,
  });
  const PREFLIGHT = {
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,if-match',
  };

  test.each([SHOP, 'http://localhost:3000'])('that are named may ask and read: %s', async (origin) => {
    const { status, headers } = await send('OPTIONS', '/api/v1/orders/7/ship', from(origin, PREFLIGHT));
    expect([status, headers.allow]).toEqual([204, 'PUT, OPTIONS']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers':
        'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID',
      'access-control-max-age': '600',
      vary: 'Origin',
      ...PROTECTION,
    });
    const answer = await send('GET', '/api/v1/orders/7', from(origin));
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-expose-headers':
        'Location, ETag, Link, Retry-After, X-Request-ID, X-Error-Type, Idempotent-Replayed',
      vary: 'Origin',
    });
    // Cookies and the like are never asked for: a page sends its token itself.
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test('can read refusals too', async () => {
    for (const path of ['/nothing', '/api/v1/inventory/0', '/api/v1/orders?bogus=1'])
      expect((await send('GET', path, from(SHOP))).headers['access-control-allow-origin']).toBe(SHOP);
    expect((await send('PATCH', '/api/v1/orders', from(SHOP))).headers['access-control-allow-origin']).toBe(SHOP);
  });

  test.each(['https://shop.example.evil.example', 'http://shop.example', 'https://shop.example:444', 'null', '*'])(
    'that are not named get no leave: %s',
    async (origin) => {
      for (const method of ['OPTIONS', 'GET', 'DELETE']) {
        const { headers } = await send(method, '/api/v1/orders/7', from(origin, PREFLIGHT));
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
        expect(headers.vary).toBe('Origin');
      }
    },
  );

  test('get no leave at all unless some are named', async () => {
    const answer = await send('OPTIONS', '/api/v1/orders/7', {
      headers: { origin: SHOP, ...PREFLIGHT },
      port: gateway.port,
    });
    expect(answer.status).toBe(204);
    expect(Object.keys(answer.headers).filter((name) => /^(access-control|vary)/.test(name))).toEqual([]);
  });

  test('are no matter to callers that are no browsers', async () => {
    const { status, headers } = await send('GET', '/api/v1/orders/7', open);
    expect([status, headers.vary, headers['access-control-allow-origin']]).toEqual([200, 'Origin', undefined]);
    expect((await send('OPTIONS', '/api/v1/orders/7', open)).headers['access-control-allow-methods']).toBeUndefined();
  });
});
