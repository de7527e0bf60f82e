/** Callers that are many, slow, or never close their connections, on real sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { HttpServer } from '../../mixins/gateway/server/http-server.ts';
import type { GatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { renderPrometheus } from '../../mixins/metrics/prometheus.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, ORDER_BODY, raw, send, STAND_INS, startGateway } from '../support/gateway.ts';
import { httpSettings } from '../support/http-settings.ts';

const start = (settings: Partial<GatewaySettings>): Promise<Gateway> => startGateway(STAND_INS, settings);

/** How many connections the gateway holds. */
async function connections({ broker }: Gateway): Promise<number> {
  const { http } = broker.getLocalService('api') as unknown as WithGateway;
  return promisify(http.server.getConnections.bind(http.server))();
}

/** A connection that stays half-open when the other side closes it. */
async function open(port: number): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  afterTheTest(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, heard: () => text };
}

const HEAD = 'POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1500\r\n';

const head = (path: string, more: string) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}`;

describe('a slow caller', () => {
  test.each([
    ['headers', { headersTimeoutMs: 200 }, HEAD, 'X-Drop: 1\r\n'],
    ['body', { headersTimeoutMs: 200, requestTimeoutMs: 400 }, `${HEAD}\r\n{"a":"`, 'x'],
  ])(
    'that sends its %s drop by drop is answered 408 and cut off, others are served',
    async (_, settings, first, drop) => {
      const gateway = await start(settings);
      const { socket, heard } = await open(gateway.port);
      socket.write(first);
      const dripping = setInterval(() => socket.writable && socket.write(drop), 20);
      try {
        await eventually(() => expect(heard()).toMatch(/"}$/));
        expect(heard()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*X-Content-Type-Options: nosniff\r\n/);
        expect(heard()).toMatch(/\{"error":"Request Timeout","message":"The request did not arrive in time: [^"]+"\}$/);
        const briefly = { port: gateway.port, headers: { connection: 'close' } };
        expect((await send('GET', '/api/v1/orders/7', briefly)).status).toBe(200);
        // The caller holds its side open, and is cut off all the same.
        await eventually(async () => expect(await connections(gateway)).toBe(0));
      } finally {
        clearInterval(dripping);
      }
    },
  );

  test('that sends nothing at all is cut off too', async () => {
    const gateway = await start({ headersTimeoutMs: 200 });
    const { socket, heard } = await open(gateway.port);
    await once(socket, 'end');
    expect(heard()).toMatch(/^HTTP\/1\.1 408 /);
    await eventually(async () => expect(await connections(gateway)).toBe(0));
  });

  test('that leaves its connection idle loses it after a while', async () => {
    const gateway = await start({ keepAliveTimeoutMs: 100 });
    const { socket, heard } = await open(gateway.port);
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'end');
    expect(heard()).toMatch(/^HTTP\/1\.1 200 [^]*\{"status":"live"\}$/);
  });

  test('that sends empty lines instead of a next request loses its connection as well', async () => {
    const gateway = await start({ keepAliveTimeoutMs: 200, headersTimeoutMs: 200, requestTimeoutMs: 200 });
    const { socket, heard } = await open(gateway.port);
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => expect(heard()).toMatch(/"live"\}$/));
    const dripping = setInterval(() => socket.writable && socket.write('\r\n'), 20);
    try {
      await eventually(async () => expect(await connections(gateway)).toBe(0));
      expect(heard().match(/HTTP\/1\.1/g)).toHaveLength(1);
    } finally {
      clearInterval(dripping);
    }
  });

  test('that keeps sending requests keeps its connection', async () => {
    const gateway = await start({ keepAliveTimeoutMs: 100, headersTimeoutMs: 100, requestTimeoutMs: 100 });
    const { socket, heard } = await open(gateway.port);
    const until = performance.now() + 600;
    let asked = 0;
    while (performance.now() < until) {
      socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      asked++;
      await eventually(() => expect(heard().match(/"live"/g)).toHaveLength(asked));
    }
    expect(await connections(gateway)).toBe(1);
  });

  test('that never reads its answer is cut off', async () => {
    const answer = Buffer.alloc(64 * 1_048_576);
    const server = new HttpServer((_request, response) => void response.end(answer), httpSettings(), 300);
    await server.listen(0, '127.0.0.1');
    const socket = connect({ port: server.address.port, host: '127.0.0.1' });
    afterTheTest(() => socket.destroy());
    socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const held = promisify(server.server.getConnections.bind(server.server));
    await eventually(async () => expect(await held()).toBe(1));
    await eventually(async () => expect(await held()).toBe(0));
    await server.stop();
  });
});

describe('connections', () => {
  test('beyond the limit are closed at once and counted, and accepted again when there is room', async () => {
    const gateway = await start({ maxConnections: 2 });
    const held = [await open(gateway.port), await open(gateway.port)];
    const refused = await open(gateway.port);
    await eventually(() =>
      expect(renderPrometheus(gateway.broker.metrics)).toMatch(/^waybill_connections_refused_total 1$/m),
    );
    expect(refused.heard()).toBe('');
    expect(await connections(gateway)).toBe(2);
    held[0]?.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => expect(held[0]?.heard()).toMatch(/^HTTP\/1\.1 200 /));
    held[1]?.socket.destroy();
    await eventually(async () => expect((await send('GET', '/health/live', gateway)).status).toBe(200));
  });

  test('of a refused request with a long body are closed rather than read to the end', async () => {
    const gateway = await start({});
    for (const length of ['Content-Length: 999999999999', 'Transfer-Encoding: chunked']) {
      const answer = await raw(`POST /nothing HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`, gateway.port);
      expect(answer).toMatch(/^HTTP\/1\.1 404 [^]*Connection: close\r\n[^]*\{"error":"Not Found"/);
    }
  });

  test('of a refused request with a short body are kept', async () => {
    const gateway = await start({});
    const body = JSON.stringify(ORDER_BODY);
    const text = `${head('/nothing', `Content-Length: ${body.length}`)}\r\n\r\n${body}`;
    const next = `${head('/api/v1/orders', `Content-Length: ${body.length}\r\nConnection: close`)}\r\n\r\n${body}`;
    expect(await raw(text + next, gateway.port)).toMatch(/^HTTP\/1\.1 404 [^]*HTTP\/1\.1 201 /);
  });
});

test('the answer to invalid HTTP never ends up inside an answer in progress', async () => {
  const server = new HttpServer(
    (_request, response) => void response.writeHead(200).write('the beginning'),
    httpSettings(),
  );
  await server.listen(0, '127.0.0.1');
  const { socket, heard } = await open(server.address.port);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => expect(heard()).toContain('the beginning'));
  socket.write('nonsense\r\n\r\n');
  await once(socket, 'end');
  expect(heard()).not.toContain('400');
  await server.stop();
});
