/** The gateway on a free port with stand-ins for its peers, and clients that send exactly what a test writes. */
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, beforeEach } from '@jest/globals';
import { type ActionParams, type Context, type Service, type ServiceBroker, type ServiceSchema } from 'moleculer';
import type { AuthSettings } from '../../mixins/auth/auth.settings.ts';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import type { GatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { apiService } from '../../services/api/api.service.ts';
import { plainBroker, settingsFor } from './broker.ts';

export const MAX_BODY = 2_048;

/** A service whose actions record their calls and return what the test sets. */
function standIn(name: string, actions: Record<string, { params?: ActionParams; answer?: unknown }>): ServiceSchema {
  return {
    name,
    actions: Object.fromEntries(
      Object.entries(actions).map(([action, { params, answer }]) => [
        action,
        {
          ...(params && { params }),
          handler(ctx: Context<Record<string, unknown>>) {
            peers.seen = { action: `${name}.${action}`, params: ctx.params, meta: ctx.meta };
            return peers.next ? peers.next(ctx) : answer;
          },
        },
      ]),
    ),
  };
}

export const ORDER = {
  orderId: 7,
  orderNumber: 'ORD-x',
  status: 'CONFIRMED',
  totalPrice: 19.9,
  items: [{ productId: 1, quantity: 2, priceAtPurchase: 5 }],
};
export const PRODUCT = {
  id: 3,
  sku: 'A',
  name: 'Cup',
  price: 4.5,
  quantity: 2,
  reservedQuantity: 0,
  availableStock: 2,
};
const STOCK = {
  success: true,
  message: 'reserved',
  unavailableProducts: [],
  items: [{ productId: 1, quantity: 1, price: 3 }],
};

export const STAND_INS = [
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
    setStock: { answer: PRODUCT },
    reserve: { answer: STOCK },
    release: { answer: STOCK },
    consume: { answer: STOCK },
  }),
  standIn('tracking', {
    createShipment: { answer: { trackingNumber: 'TRK-1', estimatedDelivery: '2026-12-01T00:00:00.000Z' } },
    get: { answer: { trackingNumber: 'TRK-1' } },
    list: { answer: [{ trackingNumber: 'TRK-1' }] },
    addEvent: { answer: { status: 'IN_TRANSIT' } },
  }),
];

export interface Gateway {
  broker: ServiceBroker;
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** A gateway whose mesh has only the given services; the settings are what a test is about. */
export async function startGateway(
  services: ServiceSchema[],
  settings: Partial<GatewaySettings> = {},
  auth?: AuthSettings,
): Promise<Gateway> {
  const broker = plainBroker(
    { ...settingsFor(), auth },
    {
      metrics: { enabled: true, collectProcessMetrics: true, collectInterval: 3_600 },
      tracking: { enabled: true, shutdownTimeout: 5_000 },
    },
  );
  for (const service of services) broker.createService({ ...service, actions: { ...service.actions } });
  const api = broker.createService(apiService({ maxBodyBytes: MAX_BODY, ...settings }));
  await broker.start();
  const { port } = (api as unknown as Service & WithGateway).http.address;
  return { broker, port, url: `http://127.0.0.1:${port}`, stop: () => broker.stop() };
}

/** What the stand-ins saw and will do; the same for every gateway of a test file. */
export const peers: {
  /** The last call that reached a stand-in. */
  seen?: { action: string; params: Record<string, unknown>; meta: Record<string, unknown> };
  /** What the next call is answered instead; it may throw. */
  next?: (ctx: Context<Record<string, unknown>>) => unknown;
} = {};

/** The gateway that the clients below send to, started for a test file. */
export let gateway: Gateway;

/** Starts the gateway before a file's tests; forgets what the stand-ins saw before each. */
export function useGateway(): void {
  beforeAll(async () => {
    gateway = await startGateway(STAND_INS);
  });
  beforeEach(() => {
    peers.seen = undefined;
    peers.next = undefined;
  });
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // Tests read fields of any answer without naming its shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  json: any;
}

export interface Send {
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
  port?: number;
}

/** One request, exactly as given: no header is added that a caller did not write, but Content-Length. */
export function send(
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

export const JSON_TYPE = { 'content-type': 'application/json' };
export const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send('POST', `/api/v1${path}`, { headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) });
export const put = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  send('PUT', `/api/v1${path}`, {
    headers: { ...JSON_TYPE, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
export const get = (path: string, headers: Record<string, string> = {}) => send('GET', `/api/v1${path}`, { headers });

export const ORDER_BODY = { customerId: 1, items: [{ productId: 1, quantity: 2 }] };

/** Text straight on a socket, for requests that no client would send; resolves with all that came until it closed. */
export async function raw(text: string, port = gateway.port): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  await once(socket, 'close');
  return answer;
}
