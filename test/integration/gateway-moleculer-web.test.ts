/** REST is moleculer-web's: a request passes its methods and hooks in its order, and every override is documented. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Service } from 'moleculer';
import ApiGateway from 'moleculer-web';
import { overrides } from '../../mixins/gateway/overrides.ts';
import {
  type Answer,
  type Gateway,
  JSON_TYPE,
  ORDER_BODY,
  peers,
  send,
  STAND_INS,
  startGateway,
} from '../support/gateway.ts';
import { page, plain, rows } from '../support/markdown.ts';
import { bearer, customer, SECRET } from '../support/tokens.ts';

type Step = (...given: unknown[]) => unknown;

const web = ApiGateway as unknown as { methods: Record<string, Step>; actions: Record<string, { handler: Step }> };
const HOOKS = ['onBeforeCall', 'authentication', 'authorization', 'onAfterCall'];
const AUTH = { secret: SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };

let gateway: Gateway;
let api: Service & Record<string, Step> & { routes: Record<string, Step>[]; actions: Record<string, Step> };
const passed: string[] = [];

/** Wraps a function so that its calls are recorded. */
function note(holder: Record<string, Step>, name: string): void {
  const real = holder[name] as Step;
  holder[name] = function noted(this: unknown, ...given) {
    passed.push(name);
    return real.apply(this, given);
  };
}

beforeAll(async () => {
  gateway = await startGateway(STAND_INS, {}, AUTH);
  api = gateway.broker.getLocalService('api') as unknown as typeof api;
  for (const method of Object.keys(web.methods)) note(api, method);
  note(api.actions, 'rest');
  for (const route of api.routes) for (const hook of HOOKS) note(route, hook);
});
afterAll(() => gateway.stop());
beforeEach(() => {
  passed.length = 0;
});

const ask = async (method: string, path: string, body?: string): Promise<Answer> =>
  await send(method, path, { port: gateway.port, headers: { ...JSON_TYPE, ...(await bearer(customer(1))) }, body });

test('a request goes through the routes and hooks of moleculer-web, in its order', async () => {
  const answer = await ask('POST', '/api/v1/orders', JSON.stringify(ORDER_BODY));
  expect([answer.status, peers.seen?.action]).toEqual([201, 'orders.create']);
  expect(passed).toEqual([
    'httpHandler',
    'rest',
    'parseQueryString',
    'resolveAlias',
    'routeHandler',
    'corsHandler',
    'aliasHandler',
    'onBeforeCall',
    'authentication',
    'authorization',
    'callAction',
    'onAfterCall',
    'sendResponse',
    'encodeResponse',
  ]);
});

test('a call carries the id of the request, and nothing about the caller', async () => {
  const headers = { ...(await bearer(customer(1))), 'x-request-id': 'my-id', 'x-correlation-id': 'another' };
  await send('GET', '/api/v1/orders/7', { port: gateway.port, headers });
  expect(peers.seen?.meta).toEqual({ requestID: 'my-id' });
});

test('so do health and metrics', async () => {
  for (const path of ['/health/live', '/health/ready', '/metrics']) {
    passed.length = 0;
    await ask('GET', path);
    expect(passed).toEqual(expect.arrayContaining(['httpHandler', 'rest', 'routeHandler', 'aliasHandler']));
  }
});

test('a failure goes through its error handler, and an unknown path through its 404 handler', async () => {
  await ask('GET', '/api/v1/orders?bogus=1');
  expect(passed.slice(-4)).toEqual(['authorization', 'errorHandler', 'sendError', 'encodeResponse']);
  passed.length = 0;
  await ask('GET', '/nowhere');
  expect(passed.slice(-4)).toEqual(['corsHandler', 'send404', 'sendError', 'encodeResponse']);
});

test('the action `rest`, the call of an action and everything else not overridden are those of moleculer-web', () => {
  const methods = api.schema.methods as Record<string, Step>;
  const own = Object.keys(web.methods).filter((name) => methods[name] === web.methods[name]);
  const others = Object.keys(web.methods).filter((name) => !own.includes(name));
  expect(own).toEqual(expect.arrayContaining(['callAction', 'sendError', 'addRoute', 'createRoute', 'createAlias']));
  expect(others.toSorted()).toEqual(
    Object.keys(overrides)
      .filter((name) => name in web.methods)
      .toSorted(),
  );
  const actions = api.schema.actions as unknown as typeof web.actions;
  expect(actions.rest?.handler).toBe(web.actions.rest?.handler);
});

test('the decision record lists exactly the overridden methods, each with its reason', () => {
  const documented = rows(page('docs/decisions/0015-rest-is-moleculer-webs.md'), /^`\w+`$/).map(([name]) =>
    plain(name),
  );
  expect(documented.toSorted()).toEqual(
    Object.keys(overrides)
      .filter((name) => name in web.methods)
      .toSorted(),
  );
});
