/** The gateway over real HTTP, with stand-ins for its peers: what goes in, what comes out, and every refusal. */
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Context, Errors, type Service, ServiceBroker, type ServiceSchema } from 'moleculer';
import * as errors from '../../machines/errors.ts';
import type { WithGateway } from '../../mixins/http/gateway.mixin.ts';
import { SettingError } from '../../mixins/settings.ts';
import { apiService } from '../../services/api/api.service.ts';

const MAX_BODY = 2_048;

/** The last call that reached a stand-in. */
let seen: { action: string; params: Record<string, unknown>; meta: Record<string, unknown> } | undefined;
/** What the next call is answered; a function may throw. */
let next: ((ctx: Context<Record<string, unknown>>) => unknown) | undefined;

function standIn(name: string, actions: Record<string, { params?: object; answer?: unknown }>): ServiceSchema {
  return {
    name,
    actions: Object.fromEntries(
      Object.entries(actions).map(([action, { params, answer }]) => [
        action,
        {
          ...(params && { params }),
          handler(ctx: Context<Record<string, unknown>>) {
            seen = { action: `${name}.${action}`, params: ctx.params, meta: ctx.meta as Record<string, unknown> };
            return next ? next(ctx) : answer;
          },
        },
      ]),
    ),
  };
}

const ORDER = {
  orderId: 7,
  orderNumber: 'ORD-x',
  status: 'CONFIRMED',
  totalPrice: 19.9,
  items: [{ productId: 1, quantity: 2, priceAtPurchase: 5 }],
};
const PRODUCT = { id: 3, sku: 'A', name: 'Cup', price: 4.5, quantity: 2, reservedQuantity: 0, availableStock: 2 };
const STOCK = {
  success: true,
  message: 'reserved',
  unavailableProducts: [],
  items: [{ productId: 1, quantity: 1, price: 3 }],
};

const STAND_INS = [
  standIn('orders', {
    ready: { answer: true },
    create: {
      params: {
        $$strict: true,
        customerId: { type: 'number', integer: true, positive: true },
        items: {
          type: 'array',
          min: 1,
          items: { type: 'object', strict: true, props: { productId: 'number', quantity: 'number' } },
        },
      },
      answer: { order: ORDER, replayed: false },
    },
    get: { answer: { order: ORDER, etag: '4' } },
    search: { answer: { orders: [ORDER], next: 'c2' } },
    listByCustomer: { answer: { items: [{ orderId: 7, totalPrice: 1 }], next: 'n=/+ x' } },
    cancel: {},
    ship: {},
    deliver: {},
    history: { answer: [{ seq: 1 }] },
    explain: { answer: { status: 'CONFIRMED' } },
  }),
  standIn('inventory', {
    create: { answer: PRODUCT },
    list: { answer: { items: [PRODUCT], next: null } },
    get: { answer: PRODUCT },
    update: { answer: PRODUCT },
    addStock: { answer: PRODUCT },
    reserve: { answer: STOCK },
    release: { answer: STOCK },
    consume: { answer: STOCK },
  }),
  standIn('tracking', {
    createShipment: { answer: { trackingNumber: 'TRK-1', estimatedDelivery: '2026-12-01T00:00:00.000Z' } },
    get: { answer: { trackingNumber: 'TRK-1' } },
    addEvent: { answer: { status: 'IN_TRANSIT' } },
  }),
];

interface Gateway {
  broker: ServiceBroker;
  url: string;
  port: number;
  stop(): Promise<void>;
}

async function startGateway(peers: ServiceSchema[]): Promise<Gateway> {
  const broker = new ServiceBroker({
    logger: false,
    metrics: { enabled: true, collectProcessMetrics: true, collectInterval: 3_600 },
    tracking: { enabled: true, shutdownTimeout: 5_000 },
  });
  for (const peer of peers) broker.createService(structuredCloneSchema(peer));
  const api = broker.createService(apiService(() => ({ host: '127.0.0.1', port: 0, maxBodyBytes: MAX_BODY })));
  await broker.start();
  const { port } = (api as unknown as Service & WithGateway).http.address;
  return { broker, port, url: `http://127.0.0.1:${port}`, stop: () => broker.stop() };
}

/** Moleculer writes into the schemas it is given. */
const structuredCloneSchema = (schema: ServiceSchema): ServiceSchema => ({ ...schema, actions: { ...schema.actions } });

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway(STAND_INS);
});
afterAll(() => gateway.stop());
beforeEach(() => {
  seen = undefined;
  next = undefined;
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // Tests read fields of any answer without naming its shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  json: any;
}

interface Send {
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
  port?: number;
}

/** One request, exactly as given: no header is added that a caller did not write, but Content-Length. */
function send(
  method: string,
  path: string,
  { headers = {}, body, agent, port = gateway.port }: Send = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      void collect(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function collect(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const isJson = response.headers['content-type'] === 'application/json' && text !== '';
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send('POST', `/api/v1${path}`, { headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) });
const put = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  send('PUT', `/api/v1${path}`, {
    headers: { ...JSON_TYPE, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
const get = (path: string, headers: Record<string, string> = {}) => send('GET', `/api/v1${path}`, { headers });

const ORDER_BODY = { customerId: 1, items: [{ productId: 1, quantity: 2 }] };

/** Text straight on a socket, for requests that no client would send; resolves with all that came until it closed. */
async function raw(text: string): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  await once(socket, 'close');
  return answer;
}

describe('orders', () => {
  test('POST answers 201 with Location and the order, amounts with two decimals', async () => {
    const answer = await post('/orders', ORDER_BODY);
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe('/api/v1/orders/7');
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expect(answer.json).toEqual(ORDER);
    expect(answer.text).toContain('"totalPrice":19.90');
    expect(answer.text).toContain('"priceAtPurchase":5.00');
    expect(seen?.params).toEqual(ORDER_BODY);
    expect(seen?.meta.idempotencyKey).toBeUndefined();
  });

  test('the idempotency key and the request id travel with the call, and a replay says so', async () => {
    next = () => ({ order: ORDER, replayed: true, warning: 'no shipment yet' });
    const answer = await post('/orders', ORDER_BODY, { 'Idempotency-Key': 'k-1', 'X-Request-ID': 'r-1' });
    expect(seen?.meta).toMatchObject({ idempotencyKey: 'k-1', requestID: 'r-1' });
    expect(answer.headers['idempotent-replayed']).toBe('true');
    expect(answer.json).toEqual({ ...ORDER, warning: 'no shipment yet' });
  });

  test.each(['', 'a b', 'x'.repeat(256), 'é'])('the idempotency key %j is refused', async (key) => {
    const answer = await post('/orders', ORDER_BODY, { 'Idempotency-Key': Buffer.from(key).toString('latin1') });
    expect(answer.status).toBe(400);
    expect(answer.json.details).toEqual([expect.objectContaining({ field: 'Idempotency-Key' })]);
    expect(seen).toBeUndefined();
  });

  test('a stored failure is replayed with the header and without the mark', async () => {
    next = () => {
      throw new errors.InsufficientStock('Product ID 1 has insufficient stock', {
        unavailableProducts: [1],
        orderId: 7,
        replayed: true,
        error: 'never',
        message: 'never',
      });
    };
    const answer = await post('/orders', ORDER_BODY);
    expect(answer.status).toBe(400);
    expect(answer.headers['idempotent-replayed']).toBe('true');
    expect(answer.json).toEqual({
      error: 'Insufficient stock',
      message: 'Product ID 1 has insufficient stock',
      unavailableProducts: [1],
      orderId: 7,
    });
  });

  test('GET passes the id as given and answers with a strong tag', async () => {
    const answer = await get('/orders/ORD-abc/');
    expect(seen).toMatchObject({ action: 'orders.get', params: { id: 'ORD-abc' } });
    expect(answer.headers.etag).toBe('"4"');
    expect(answer.json).toEqual(ORDER);
  });

  test.each(['"4"', 'W/"4"', '"3", "4"', '*', '4'])('If-None-Match: %s answers 304 without a body', async (tag) => {
    const answer = await get('/orders/7', { 'if-none-match': tag, 'cache-control': 'no-cache' });
    expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', '"4"']);
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  test.each(['"5"', '"44"', '""'])('If-None-Match: %s answers the order', async (tag) => {
    expect((await get('/orders/7', { 'if-none-match': tag })).status).toBe(200);
  });

  test.each(['cancel', 'ship', 'deliver'])('PUT %s answers 204 and passes the condition on', async (command) => {
    const plain = await put(`/orders/7/${command}`);
    expect([plain.status, plain.text]).toEqual([204, '']);
    expect(seen).toMatchObject({ action: `orders.${command}` });
    expect(seen?.params).toEqual({ id: '7' });
    await put(`/orders/7/${command}`, {}, { 'if-match': '"4", W/"5"' });
    expect(seen?.params).toEqual({ id: '7', ifMatch: ['4', 'W/"5"'] });
    await put(`/orders/7/${command}`, undefined, { 'if-match': '*' });
    expect(seen?.params).toEqual({ id: '7', ifMatch: ['*'] });
  });

  test('a condition that cannot be read is refused, not skipped', async () => {
    for (const header of ['', '"4', '"4" "5"']) {
      expect((await put('/orders/7/cancel', undefined, { 'if-match': header })).status).toBe(400);
    }
    expect(seen).toBeUndefined();
  });

  test('the list of a customer is an array that links its next page', async () => {
    const answer = await get('/orders/customer/12?limit=1');
    expect(seen?.params).toEqual({ customerId: 12, limit: 1 });
    expect(answer.json).toEqual([{ orderId: 7, totalPrice: 1 }]);
    const link = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    expect(link?.startsWith('/api/v1/orders/customer/12?')).toBe(true);
    await send('GET', link as string);
    expect(seen?.params).toEqual({ customerId: 12, limit: 1, cursor: 'n=/+ x' });
  });

  test('the search converts its numbers and passes the page through', async () => {
    const answer = await get('/orders?status=CONFIRMED&customerId=1&minTotal=9.90&from=2026-01-01T00:00:00Z&limit=5');
    expect(seen?.params).toEqual({
      status: 'CONFIRMED',
      customerId: 1,
      minTotal: 9.9,
      from: '2026-01-01T00:00:00Z',
      limit: 5,
    });
    expect(answer.json).toEqual({ orders: [ORDER], next: 'c2' });
  });

  test('every fault of a query is named at once', async () => {
    const answer = await get('/orders?limit=ten&bogus=1&minTotal=1.234&status=A&status=B&ifMatch=4');
    expect(answer.status).toBe(400);
    const fields = answer.json.details.map((fault: { field: string }) => fault.field);
    expect(fields).toEqual(['limit', 'bogus', 'minTotal', 'status', 'ifMatch']);
    expect(seen).toBeUndefined();
  });

  test('history and explain are passed on', async () => {
    expect((await get('/orders/7/history')).json).toEqual([{ seq: 1 }]);
    expect((await get('/orders/7/explain')).json).toEqual({ status: 'CONFIRMED' });
    expect(seen?.params).toEqual({ id: '7' });
  });
});

describe('inventory and tracking', () => {
  test('a product is made with 201 and Location, read, changed and stocked', async () => {
    const made = await post('/inventory', { sku: 'A', name: 'Cup', price: 4.5 });
    expect([made.status, made.headers.location]).toEqual([201, '/api/v1/inventory/3']);
    expect(made.text).toContain('"price":4.50');
    const list = await get('/inventory?limit=2');
    expect([list.json, list.headers.link]).toEqual([[PRODUCT], undefined]);
    await get('/inventory/3');
    expect(seen?.params).toEqual({ id: 3 });
    await put('/inventory/3', { name: 'Mug' });
    expect(seen).toMatchObject({ action: 'inventory.update', params: { id: 3, name: 'Mug' } });
    expect((await post('/inventory/3/addStock', { amount: 4 })).status).toBe(200);
    expect(seen?.params).toEqual({ id: 3, amount: 4 });
  });

  test.each(['reserve', 'release', 'consume'])('%s answers 200 without the prices that peers get', async (command) => {
    const answer = await post(`/inventory/${command}`, { orderId: 1, items: [] });
    expect([answer.status, answer.json]).toEqual([
      200,
      { success: true, message: 'reserved', unavailableProducts: [] },
    ]);
  });

  test.each(['abc', '0', '-1', '1.5', '01', '9007199254740993', '%31%zz', '1e3'])(
    'there is no product %s',
    async (id) => {
      const answer = await get(`/inventory/${id}`);
      expect([answer.status, answer.json.error]).toEqual([404, 'Not Found']);
      expect(seen).toBeUndefined();
    },
  );

  test('a body cannot overrule the path', async () => {
    const answer = await put('/inventory/3', { id: 4, name: 'Mug' });
    expect(answer.json.details).toEqual([expect.objectContaining({ field: 'id', type: 'unknown' })]);
    expect((await post('/tracking/TRK-1/events', { status: 'X', trackingNumber: 'TRK-2' })).status).toBe(400);
    expect(seen).toBeUndefined();
  });

  test('shipments and their events are made with 201, free fields kept', async () => {
    const made = await post('/tracking/shipment', { orderId: 1 });
    expect([made.status, made.headers.location]).toEqual([201, '/api/v1/tracking/TRK-1']);
    expect((await get('/tracking/TRK-1')).json).toEqual({ trackingNumber: 'TRK-1' });
    const event = await post('/tracking/TRK-1/events', {
      status: 'IN_TRANSIT',
      trackingNumber: 'TRK-1',
      scale: { kg: 2 },
    });
    expect(event.status).toBe(201);
    expect(seen?.params).toEqual({ trackingNumber: 'TRK-1', status: 'IN_TRANSIT', scale: { kg: 2 } });
  });
});

describe('a bad body', () => {
  test('every fault is named at once, each unknown field by itself', async () => {
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
    expect(seen).toBeUndefined();
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/jsonp',
    '',
  ])('the content type %j is refused with 415', async (type) => {
    const headers = type === '' ? {} : { 'content-type': type };
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

  test('a body over the limit is refused with 413, its length told or not, and the caller reads the answer', async () => {
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

  test('a body far over the limit is refused before it is sent, when the caller waits for leave', async () => {
    const head = `POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n`;
    const refused = await raw(`${head}Content-Length: 999999999\r\n\r\n`);
    expect(refused.startsWith('HTTP/1.1 413 ')).toBe(true);
    const body = JSON.stringify(ORDER_BODY);
    const taken = await raw(`${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    expect(taken.startsWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ')).toBe(true);
  });

  test('fields sent to a command that takes none are named', async () => {
    const answer = await put('/orders/7/cancel', { reason: 'x' });
    expect(answer.json.details).toEqual([expect.objectContaining({ field: 'reason' })]);
    expect(seen).toBeUndefined();
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

  test('what is not HTTP, or too much of it, is answered in JSON too', async () => {
    const nonsense = await raw('HELLO\r\n\r\n');
    expect(nonsense.startsWith('HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n')).toBe(true);
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

  test.each(errors.ERROR_CLASSES.map((errorClass) => [errorClass.name, errorClass] as const))(
    'shows %s with its title, status and pause',
    async (_, errorClass) => {
      const error = new errorClass('what to do', { orderId: 7 });
      next = () => {
        throw error;
      };
      const answer = await get('/orders/7');
      expect(answer.status).toBe(error.code);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.headers['retry-after']).toBe(error.retryable ? '1' : undefined);
      expect(answer.json).toEqual({ error: error.title, message: 'what to do', orderId: 7 });
    },
  );

  test.each([
    new Errors.ServiceNotFoundError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.ServiceNotAvailableError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.RequestTimeoutError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.RequestRejectedError({ action: 'a', nodeID: 'secret-node' }),
    new Errors.QueueIsFullError({ action: 'a', nodeID: 'secret-node', service: 's', size: 1, limit: 1 }),
    new Errors.BrokerDisconnectedError(),
    Object.assign(new Error('connect ECONNREFUSED secret-node:5432'), { code: 'ECONNREFUSED' }),
  ])('%s becomes 503 with Retry-After and no node name', async (error) => {
    next = () => {
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

  test('an error that is unknown becomes 500 and says nothing of its cause', async () => {
    next = () => {
      throw Object.assign(new Error('SELECT secret FROM orders'), { code: 402, data: { password: 'secret' } });
    };
    const answer = await get('/orders/7');
    expect([answer.status, Object.keys(answer.json)]).toEqual([500, ['error', 'message']]);
    expect(answer.text).not.toContain('secret');
  });

  test('an error of ours that crossed the mesh as plain fields is shown as it was', async () => {
    next = () => {
      const { type, code, data } = new errors.IllegalTransition('', { status: 'SHIPPED' });
      throw Object.assign(new Error('already on its way'), { type, code, data });
    };
    const answer = await put('/orders/7/cancel');
    expect([answer.status, answer.json]).toEqual([
      409,
      { error: 'Conflict', message: 'already on its way', status: 'SHIPPED' },
    ]);
  });
});

describe('operation', () => {
  test('a live gateway says so, to probes with any query', async () => {
    const answer = await send('GET', '/health/live?probe=1');
    expect([answer.status, answer.json]).toEqual([200, { status: 'live' }]);
  });

  test('ready means that orders answers', async () => {
    expect((await send('GET', '/health/ready')).json).toEqual({ status: 'ready' });
    next = () => {
      throw new Error('no database');
    };
    const answer = await send('GET', '/health/ready');
    expect([answer.status, answer.json.status, answer.json.missing]).toEqual([503, 'unready', ['orders']]);
  });

  test('without any peer the gateway is live, not ready, and answers 503', async () => {
    const alone = await startGateway([]);
    try {
      expect((await send('GET', '/health/live', alone)).status).toBe(200);
      expect((await send('GET', '/health/ready', alone)).json.missing).toEqual(['orders']);
      const answer = await send('GET', '/api/v1/orders/7', alone);
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    } finally {
      await alone.stop();
    }
  });

  test('requests are counted and timed by route, never by path', async () => {
    await get('/orders/4711');
    await get('/nothing-4711');
    const { text, headers } = await send('GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toMatch(
      /^waybill_http_requests_total\{method="GET",route="\/api\/v1\/orders\/\{id\}",status="200"\} \d+$/m,
    );
    expect(text).toMatch(/^waybill_http_requests_total\{method="GET",route="unmatched",status="404"\} \d+$/m);
    expect(text).toMatch(/^# TYPE waybill_http_request_duration_seconds histogram$/m);
    expect(text).toMatch(/^waybill_http_request_duration_seconds_bucket\{.*le="\+Inf"\} \d+$/m);
    expect(text).toMatch(/^waybill_http_request_duration_seconds_sum\{.*\} [\d.]+$/m);
    expect(text).toMatch(/^process_memory_rss \d+$/m);
    expect(text).not.toMatch(/4711|^os_/m);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-zA-Z_:][\w:]*(\{.*\})? (NaN|[-+\d.e]+))$/);
    }
  });

  test('a taken port ends the start with one line that names it', async () => {
    const broker = new ServiceBroker({ logger: false });
    const service = broker.createService(
      apiService(() => ({ host: '127.0.0.1', port: gateway.port, maxBodyBytes: 1 })),
    );
    const { http } = service as unknown as WithGateway;
    const refusal = await http.listen(gateway.port, '127.0.0.1').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SettingError);
    expect((refusal as Error).message).toContain(`PORT=${gateway.port}`);
  });

  test('a stop accepts nobody new, finishes what is in flight, and closes kept connections', async () => {
    let finish: () => void = () => {};
    const arrived = new Promise<void>((entered) => {
      next = async () => {
        entered();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return { order: ORDER, etag: '4' };
      };
    });
    const agent = new Agent({ keepAlive: true });
    const other = await startGateway(STAND_INS);
    const { http } = other.broker.getLocalService('api') as unknown as WithGateway;
    const inFlight = send('GET', '/api/v1/orders/7', { port: other.port, agent });
    await arrived;
    const closed = once(http.server, 'close');
    const stopped = other.stop();
    // The listening socket is gone before the answer is: `close` of the server comes only after it.
    while (http.server.listening) await new Promise((resolve) => setImmediate(resolve));
    await expect(send('GET', '/health/live', { port: other.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finish();
    const answer = await inFlight;
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
    await closed;
    await stopped;
    agent.destroy();
  });

  test('a caller that goes away in the middle of its body harms nobody', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      'POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"a"',
    );
    await once(socket, 'connect');
    socket.destroy();
    expect((await post('/orders', ORDER_BODY)).status).toBe(201);
  });
});
