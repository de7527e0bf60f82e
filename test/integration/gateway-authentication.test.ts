/** Authentication at the gateway: who needs a token, which tokens are valid, and that no body of a refused caller is read. */
import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { http } from '../support/http.ts';
import { ADMIN, bearer, customer, SECRET, STAFF } from '../support/tokens.ts';

let engine: Engine;
let root: string;
beforeAll(async () => {
  engine = await startEngine({ env: { AUTH_JWT_SECRET: SECRET } });
  root = `http://127.0.0.1:${(engine.broker.getLocalService('api') as unknown as WithGateway).http.address.port}`;
});

describe('a request that does not say who sends it is 401, and told what to send', () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYWRtaW4ifQ.c2lnbmF0dXJl';
  test.each([
    ['without a header', undefined, 'Bearer'],
    ['with a name and a password', `Basic ${Buffer.from('ann:sesame').toString('base64')}`, 'Bearer'],
    ['with the word alone', 'Bearer', 'Bearer'],
    ['with a token and no word', token, 'Bearer'],
    ['with two tokens', `Bearer ${token} ${token}`, 'Bearer'],
    ['with a token that is not genuine', `Bearer ${token}`, 'Bearer error="invalid_token"'],
  ])('%s', async (_title, authorization, challenge) => {
    const { status, headers, body } = await http('GET', `${root}/api/v1/orders`, {
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });
    expect(status).toBe(401);
    expect(headers.get('WWW-Authenticate')).toBe(challenge);
    expect(headers.get('X-Error-Type')).toBe('UNAUTHENTICATED');
    expect(body).toEqual({ error: 'Unauthorized', message: expect.stringContaining('Authorization: Bearer <token>') });
    expect(JSON.stringify(body)).not.toContain('eyJ');
  });
});

test('a token counts in the header only, never in the address', async () => {
  const { Authorization } = await bearer(ADMIN);
  const token = Authorization.slice('Bearer '.length);
  for (const name of ['access_token', 'token', 'authorization'])
    expect((await http('GET', `${root}/api/v1/orders?${name}=${token}`)).status).toBe(401);
});

test('the word Bearer may be written in any case', async () => {
  const { Authorization } = await bearer(STAFF);
  const headers = { Authorization: Authorization.replace('Bearer', 'bEARER') };
  expect((await http('GET', `${root}/api/v1/orders`, { headers })).status).toBe(200);
});

const statusOf = async (path: string, headers = {}): Promise<number> =>
  (await http('GET', `${root}${path}`, { headers })).status;

test('probes need no token, metrics need one of staff', async () => {
  expect([await statusOf('/health/live'), await statusOf('/health/ready')]).toEqual([200, 200]);
  expect(await statusOf('/health/live', { Authorization: 'Bearer nonsense' })).toBe(200);
  expect(await statusOf('/metrics')).toBe(401);
  expect(await statusOf('/metrics', await bearer(customer(1)))).toBe(403);
  expect(await statusOf('/metrics', await bearer(STAFF))).toBe(200);
});

test('a role that may not is told which one is needed', async () => {
  const { status, headers, body } = await http('PUT', `${root}/api/v1/orders/1/ship`, {
    headers: await bearer(customer(1)),
  });
  expect([status, headers.get('X-Error-Type'), headers.get('WWW-Authenticate')]).toEqual([403, 'FORBIDDEN', null]);
  expect(body).toEqual({
    error: 'Forbidden',
    message: 'Requires the role staff or admin; your role is customer',
    role: 'customer',
    needs: ['staff', 'admin'],
  });
});

test('a valid token that lacks a claim is 403, and the message names the claim', async () => {
  const { status, body } = await http('GET', `${root}/api/v1/orders`, {
    headers: await bearer({ role: 'customer', subject: 'ada', customerId: null }),
  });
  expect(status).toBe(403);
  expect(body.message).toContain('lacks a valid claim customerId');
});

/** Sends the headers of a POST, and its body only when asked for it. Returns the status, and whether it was asked. */
function ask(path: string, headers: Record<string, string>): Promise<{ status: number; bodyWanted: boolean }> {
  return new Promise((resolve, reject) => {
    let bodyWanted = false;
    const sent = { 'Content-Type': 'application/json', 'Content-Length': '9', Expect: '100-continue', ...headers };
    const request = httpRequest(`${root}/api/v1${path}`, { method: 'POST', headers: sent }, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode as number, bodyWanted }));
      request.destroy();
    });
    request.once('continue', () => {
      bodyWanted = true;
      request.end('{"no json');
    });
    request.once('error', reject).flushHeaders();
  });
}

test('an unauthorized caller is refused before the body is read, an authorized one because of the body', async () => {
  expect(await ask('/inventory', {})).toEqual({ status: 401, bodyWanted: false });
  expect(await ask('/inventory', await bearer(customer(1)))).toEqual({ status: 403, bodyWanted: false });
  expect(await ask('/inventory', await bearer(STAFF))).toEqual({ status: 400, bodyWanted: true });
});

test('a forbidden role is 403 before its query is validated, and an unknown address is 404 to everyone', async () => {
  const headers = await bearer(customer(1));
  expect((await http('GET', `${root}/api/v1/reports/reconciliation?wrong=1`, { headers })).status).toBe(403);
  expect((await http('GET', `${root}/api/v1/nowhere`)).status).toBe(404);
  expect((await http('DELETE', `${root}/api/v1/orders`)).status).toBe(405);
});
