/** How often a caller may ask: over real HTTP, with real tokens. */
import { describe, expect, test } from '@jest/globals';
import type { GatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { renderPrometheus } from '../../mixins/metrics/prometheus.ts';
import { type Answer, type Gateway, JSON_TYPE, raw, send, STAND_INS, startGateway } from '../support/gateway.ts';
import { bearer, customer, SECRET, STAFF } from '../support/tokens.ts';

const AUTH = { secret: SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };
/** Four requests, and one more each quarter of an hour: no test lasts as long. */
const RATE = { requests: 4, periodMs: 3_600_000 };

function limited(settings: Partial<GatewaySettings> = {}, auth?: typeof AUTH): Promise<Gateway> {
  return startGateway(STAND_INS, { rateLimit: RATE, ...settings }, auth);
}

const statusOf = ({ status }: Answer): number => status;

/** The statuses of one request after the other. */
async function ask(gateway: Gateway, times: number, headers: Record<string, string> = {}, path = '/api/v1/orders/7') {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push(statusOf(await send('GET', path, { port: gateway.port, headers })));
  return statuses;
}

const refusals = ({ broker }: Gateway, by: string): string | undefined =>
  new RegExp(`^waybill_rate_limited_total\\{by="${by}"\\} (\\d+)$`, 'm').exec(renderPrometheus(broker.metrics))?.[1];

const via = (address: string) => ({ 'x-forwarded-for': address });

describe('without authentication', () => {
  test('an address is answered until its bucket is empty, then told how long to wait', async () => {
    const gateway = await limited();
    expect(await ask(gateway, 4)).toEqual([200, 200, 200, 200]);
    const { status, headers, json } = await send('GET', '/api/v1/orders/7', gateway);
    expect([status, headers['retry-after'], headers['x-error-type']]).toEqual([429, '900', 'TOO_MANY_REQUESTS']);
    expect(json).toEqual({
      error: 'Too Many Requests',
      message: 'Rate limit exceeded; retry in 900 s',
      retryAfterSeconds: 900,
    });
    expect(refusals(gateway, 'address')).toBe('1');
  });

  test('probes are always answered, and are not charged', async () => {
    const gateway = await limited();
    expect(new Set(await ask(gateway, 10, {}, '/health/live'))).toEqual(new Set([200]));
    expect(await ask(gateway, 5)).toEqual([200, 200, 200, 200, 429]);
    expect(await ask(gateway, 2, {}, '/health/ready')).toEqual([200, 200]);
  });

  test.each([
    ['GET', '/api/v1/nothing', 404],
    ['DELETE', '/api/v1/orders/7', 405],
    ['OPTIONS', '/api/v1/orders/7', 204],
    ['POST', '/api/v1/orders', 415],
  ])('%s %s counts as well', async (method, path, status) => {
    const gateway = await limited();
    const body = method === 'POST' ? 'x' : undefined;
    for (let i = 0; i < 4; i++) expect((await send(method, path, { port: gateway.port, body })).status).toBe(status);
    expect((await send(method, path, { port: gateway.port, body })).status).toBe(429);
  });

  test('X-Forwarded-For is trusted only when one of our proxies sends it', async () => {
    const open = await limited();
    for (let i = 0; i < 4; i++) await ask(open, 1, via(`192.0.2.${i}`));
    expect(await ask(open, 1, via('192.0.2.9'))).toEqual([429]);
    const behindProxy = await limited({ trustedProxies: 1 });
    expect(await ask(behindProxy, 5, via('9.9.9.9, 2001:db8::1'))).toEqual([200, 200, 200, 200, 429]);
    expect(await ask(behindProxy, 1, via('8.8.8.8, 2001:db8::2'))).toEqual([429]);
    expect(await ask(behindProxy, 1, via('9.9.9.9, 2001:db8:0:1::1'))).toEqual([200]);
  });

  test('without a rate limit nobody is refused', async () => {
    const gateway = await limited({ rateLimit: undefined });
    expect(new Set(await ask(gateway, 30))).toEqual(new Set([200]));
  });
});

describe('with authentication', () => {
  test('each caller has a bucket, a customer one for all of its tokens', async () => {
    const gateway = await limited({}, AUTH);
    const one = await bearer(customer(1));
    const sameCustomer = await bearer({ ...customer(1), subject: 'on the phone' });
    expect(await ask(gateway, 3, one)).toEqual([200, 200, 200]);
    expect(await ask(gateway, 2, sameCustomer)).toEqual([200, 429]);
    expect(await ask(gateway, 1, one)).toEqual([429]);
    expect(await ask(gateway, 1, await bearer(customer(2)))).toEqual([200]);
    expect(await ask(gateway, 1, await bearer({ ...STAFF, subject: '1' }))).toEqual([200]);
    expect([refusals(gateway, 'caller'), refusals(gateway, 'address')]).toEqual(['2', undefined]);
  });

  test('guessed tokens are charged to their address, and block no known caller', async () => {
    const gateway = await limited({}, AUTH);
    const guess = { Authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.x' };
    expect(await ask(gateway, 3, guess)).toEqual([401, 401, 401]);
    expect(await ask(gateway, 3)).toEqual([401, 429, 429]);
    expect(await ask(gateway, 1, guess)).toEqual([429]);
    expect(await ask(gateway, 1, await bearer(customer(1)))).toEqual([200]);
  });

  test('guessed tokens do not block preflight requests, which cannot carry a token', async () => {
    const page = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'GET' };
    const gateway = await limited({ corsOrigins: [page.Origin] }, AUTH);
    const leave = (headers: Record<string, string>) =>
      send('OPTIONS', '/api/v1/orders/7', { port: gateway.port, headers }).then(statusOf);
    expect(await ask(gateway, 5)).toEqual([401, 401, 401, 401, 429]);
    expect(await leave(page)).toBe(204);
    expect(await leave({ ...page, Origin: 'https://evil.example' })).toBe(429);
  });

  test('forbidden requests are charged to their caller', async () => {
    const gateway = await limited({}, AUTH);
    expect(await ask(gateway, 5, await bearer(customer(1)), '/metrics')).toEqual([403, 403, 403, 403, 429]);
  });

  test('a request for an action that no node offers is still authenticated and charged', async () => {
    const gateway = await startGateway([], { rateLimit: RATE }, AUTH);
    expect(await ask(gateway, 5)).toEqual([401, 401, 401, 401, 429]);
    expect(await ask(gateway, 5, await bearer(customer(1)))).toEqual([503, 503, 503, 503, 429]);
  });

  test('a caller over its rate limit is refused before its body is read', async () => {
    const gateway = await limited({ rateLimit: { requests: 1, periodMs: 3_600_000 } }, AUTH);
    const token = await bearer(customer(1));
    expect(await ask(gateway, 1, token)).toEqual([200]);
    const head = Object.entries({ ...token, ...JSON_TYPE, Host: 'x', 'Content-Length': '1500' });
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const answer = await raw(`POST /api/v1/orders HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`, gateway.port);
    expect(answer.startsWith('HTTP/1.1 429 ')).toBe(true);
  });
});
