/** The gateway over real HTTP: every request that it refuses, and every failure that it shows. */
import { describe, expect, test } from '@jest/globals';
import { Errors } from 'moleculer';
import { IllegalTransition } from '../../machines/shared/failure.ts';
import { FAILURES, shownAs } from '../../mixins/gateway/reply/failure-table.ts';
import { get, JSON_TYPE, MAX_BODY, ORDER_BODY, peers, post, put, raw, send, useGateway } from '../support/gateway.ts';

useGateway();

describe('a bad body', () => {
  test('all faults are reported at once, each unknown field separately', async () => {
    const answer = await post('/orders', {
      customerId: 'x',
      items: [{ productId: 1, quantity: 'y', colour: 1 }],
      bogus: 1,
      other: 2,
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toBe('Validation failed');
    const fields = answer.json.details.map((fault: { field: string }) => fault.field).toSorted();
    expect(fields).toEqual(['bogus', 'customerId', 'items[0].colour', 'items[0].quantity', 'other']);
    for (const fault of answer.json.details) expect(Object.keys(fault)).toEqual(['field', 'type', 'message']);
  });

  test('__proto__ is an unknown field and is never merged', async () => {
    const body = '{"__proto__":{"admin":true},"name":"x"}';
    for (const [method, path] of [
      ['POST', '/orders'],
      ['PUT', '/inventory/3'],
      ['POST', '/tracking/TRK-1/events'],
    ] as const) {
      const answer = await send(method, `/api/v1${path}`, { headers: JSON_TYPE, body });
      expect(answer.status).toBe(400);
      expect(answer.json.details).toContainEqual(expect.objectContaining({ field: '__proto__' }));
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['cut short', Buffer.from('{"a":')],
    ['an array', Buffer.from('[]')],
    ['null', Buffer.from('null')],
    ['a number', Buffer.from('1')],
    ['a lone BOM', Buffer.from('\uFEFF')],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])('a body that is %s is malformed', async (_, body) => {
    const answer = await send('POST', '/api/v1/orders', { headers: JSON_TYPE, body });
    expect([answer.status, answer.json.error]).toEqual([400, 'Bad Request']);
    expect(peers.seen).toBeUndefined();
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/jsonp',
    '',
  ])('the content type %j is refused with 415', async (type) => {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    expect((await send('POST', '/api/v1/orders', { headers, body: JSON.stringify(ORDER_BODY) })).status).toBe(415);
  });

  test.each(['application/json; charset=utf-8', 'application/problem+json', 'Application/JSON; charset="UTF-8"'])(
    'the content type %j is taken',
    async (type) => {
      const answer = await send('POST', '/api/v1/orders', {
        headers: { 'content-type': type },
        body: JSON.stringify(ORDER_BODY),
      });
      expect(answer.status).toBe(201);
    },
  );

  test('a compressed body is refused with 415', async () => {
    expect((await post('/orders', ORDER_BODY, { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test('a body over the limit is 413, with or without Content-Length, and the caller receives the answer', async () => {
    const big = JSON.stringify({ note: 'x'.repeat(MAX_BODY) });
    for (const headers of [JSON_TYPE, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }]) {
      const answer = await send('POST', '/api/v1/orders', { headers, body: big });
      expect([answer.status, answer.headers.connection, answer.json.maxBytes]).toEqual([413, 'close', MAX_BODY]);
      expect(answer.headers['x-request-id']).toBeDefined();
    }
    const fits = JSON.stringify({ ...ORDER_BODY, pad: '' });
    const exact = JSON.stringify({ ...ORDER_BODY, pad: 'x'.repeat(MAX_BODY - fits.length) });
    expect((await send('POST', '/api/v1/orders', { headers: JSON_TYPE, body: exact })).status).toBe(400);
  });

  test('a body far over the limit is refused before it is sent when the caller waits for 100 Continue', async () => {
    const head = `POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n`;
    const refused = await raw(`${head}Content-Length: 999999999\r\n\r\n`);
    expect(refused.startsWith('HTTP/1.1 413 ')).toBe(true);
    const body = JSON.stringify(ORDER_BODY);
    const taken = await raw(`${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    expect(taken.startsWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ')).toBe(true);
  });

  test('a refusal begins with error and message, and stays short however many and long the faults are', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `${i}${'x'.repeat(120)}`);
    const answer = await put('/orders/7/ship', Object.fromEntries(names.map((name) => [`f${name}`, 1])));
    expect(Object.keys(answer.json)).toEqual(['error', 'message', 'details']);
    expect(answer.json.details).toHaveLength(12);
    expect(answer.json.details[0].field).toBe(`f0${'x'.repeat(98)}…`);
    expect(answer.json.message).toMatch(/ and 2 more$/);
  });

  test('requests that Node would refuse without a body are refused in JSON', async () => {
    const withoutHost = await raw('GET /health/live HTTP/1.1\r\n\r\n');
    expect(withoutHost).toMatch(
      /^HTTP\/1\.1 400 [^]*X-Request-ID: [^]*\{"error":"Bad Request","message":"[^"]*Host[^"]*"\}/,
    );
    const demanding = await raw(
      'POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n{}',
    );
    expect(demanding).toMatch(/^HTTP\/1\.1 417 [^]*X-Request-ID: [^]*\{"error":"Expectation Failed","message":"/);
  });

  test('fields sent to a command that takes none are named', async () => {
    const answer = await put('/orders/7/ship', { reason: 'x' });
    expect(answer.json.details).toEqual([expect.objectContaining({ field: 'reason' })]);
    expect(peers.seen).toBeUndefined();
  });
});

describe('addresses and methods', () => {
  test.each(['/', '/nothing', '/api/v1', '/api/v1/orders/1/2/3', '/api/v1//orders', '/api/v1/orders/%E0%A4%A'])(
    '%s is answered 404 as JSON',
    async (path) => {
      const answer = await send('GET', path);
      expect([answer.status, answer.json.error]).toEqual([404, 'Not Found']);
    },
  );

  test('a wrong method is answered 405 with what is allowed', async () => {
    const answer = await send('DELETE', '/api/v1/orders/7');
    expect([answer.status, answer.headers.allow, answer.json.error]).toEqual([
      405,
      'GET, HEAD, OPTIONS',
      'Method Not Allowed',
    ]);
    expect((await send('GET', '/api/v1/inventory/reserve')).headers.allow).toBe('POST, OPTIONS');
    expect((await send('PATCH', '/api/v1/orders')).headers.allow).toBe('POST, GET, HEAD, OPTIONS');
  });

  test('HEAD answers like GET without the body', async () => {
    const answer = await send('HEAD', '/api/v1/orders/7');
    expect([answer.status, answer.text, answer.headers.etag]).toEqual([200, '', '"4"']);
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(10);
  });

  test('OPTIONS answers 204 with what is allowed', async () => {
    const answer = await send('OPTIONS', '/api/v1/orders/7/ship');
    expect([answer.status, answer.headers.allow]).toEqual([204, 'PUT, OPTIONS']);
  });

  test('invalid HTTP and oversized headers are answered in JSON', async () => {
    const nonsense = await raw('HELLO\r\n\r\n');
    expect(nonsense).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*Content-Type: application\/json\r\n/);
    expect(nonsense).toMatch(/X-Request-ID: \S+/);
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nBig: ${'x'.repeat(20_000)}\r\n\r\n`)).toContain('HTTP/1.1 431 ');
  });
});

describe('every answer', () => {
  test('carries the request id of the caller, or a new one, and no X-Powered-By', async () => {
    const paths = ['/api/v1/orders/7', '/nothing', '/api/v1/inventory/abc', '/health/live', '/metrics'];
    for (const path of paths) {
      const given = await send('GET', path, { headers: { 'x-request-id': 'my-id' } });
      expect(given.headers['x-request-id']).toBe('my-id');
      expect(given.headers['x-powered-by']).toBeUndefined();
    }
    for (const id of ['', 'a b', 'x'.repeat(129)]) {
      const answer = await get('/orders/7', { 'x-request-id': id });
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test.each(FAILURES.map((errorClass) => [errorClass.name, errorClass] as const))(
    'shows %s with its title, status and pause',
    async (_, errorClass) => {
      const error = new errorClass('what to do', { orderId: 7 });
      peers.next = () => {
        throw error;
      };
      const answer = await get('/orders/7');
      expect(answer.status).toBe(shownAs(error).status);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.headers['retry-after']).toBe(error.retryable ? '1' : undefined);
      expect(answer.json).toEqual({ error: shownAs(error).title, message: 'what to do', orderId: 7 });
      expect(answer.headers['x-error-type']).toBe(error.type);
    },
  );

  test.each([
    new Errors.ServiceNotFoundError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.ServiceNotAvailableError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.RequestTimeoutError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.RequestRejectedError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.QueueIsFullError({ action: 'a', nodeID: 'secret-node', service: 's', size: 1, limit: 1 }),
    Reflect.construct(Errors.BrokerDisconnectedError, []),
    Object.assign(new Error('connect ECONNREFUSED secret-node:5432'), { code: 'ECONNREFUSED' }),
  ])('%s becomes 503 with Retry-After and no node name', async (error) => {
    peers.next = () => {
      throw error;
    };
    const answer = await get('/orders/7');
    expect([answer.status, answer.headers['retry-after'], answer.json.error]).toEqual([
      503,
      '1',
      'Service Unavailable',
    ]);
    expect(answer.text).not.toContain('secret');
  });

  test('an unknown error becomes 500 and reveals nothing of its cause', async () => {
    peers.next = () => {
      throw Object.assign(new Error('SELECT secret FROM orders'), { code: 402, data: { password: 'secret' } });
    };
    const answer = await get('/orders/7');
    expect([answer.status, Object.keys(answer.json)]).toEqual([500, ['error', 'message']]);
    expect(answer.text).not.toContain('secret');
  });

  test('an error of ours that crossed the mesh as plain fields is shown as it was', async () => {
    peers.next = () => {
      const { type, data } = new IllegalTransition('', { status: 'SHIPPED' });
      throw Object.assign(new Error('already on its way'), { type, code: 409, data });
    };
    const answer = await put('/orders/7/cancel');
    expect([answer.status, answer.json]).toEqual([
      409,
      { error: 'Conflict', message: 'already on its way', status: 'SHIPPED' },
    ]);
  });
});
