/** The rule of an action: demanded of every service at its start, and looked at before anything else about a call. */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { ServiceBroker, ServiceSchema } from 'moleculer';
import { Forbidden } from '../../mixins/auth/auth.failures.ts';
import { ValidationFailed } from '../../machines/shared/failure.ts';
import { access } from '../../mixins/auth/access.middleware.ts';
import { ENGINE } from '../../mixins/auth/caller.ts';
import { refusalLine } from '../../mixins/process/refusal.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { programBroker } from '../support/broker.ts';
import { createDatabase } from '../support/postgres.ts';
import { ADMIN, callAs, customer, SECRET, STAFF } from '../support/tokens.ts';
import { spawnWaybill } from '../support/waybill.ts';

const FORGETFUL = fileURLToPath(new URL('../support/forgetful-inventory.ts', import.meta.url));

function newBroker(service: ServiceSchema, environment: Record<string, string> = {}): ServiceBroker {
  const broker = programBroker({ NODEID: 'rules', ...environment });
  broker.createService(service);
  return broker;
}

const handler = (): string => 'done';
const ASKED = { AUTH_JWT_SECRET: SECRET };

test.each([
  ['with', ASKED],
  ['without', {}],
] as const)(
  'a service with an action without an access rule does not start, %s authentication',
  async (_title, environment) => {
    const shop = {
      name: 'shop',
      actions: { buy: handler, sell: { handler }, look: { access: [], handler } as object },
    };
    const error: unknown = await newBroker(shop as ServiceSchema, environment)
      .start()
      .catch((thrown: unknown) => thrown);
    const open = 'no access rule for shop.buy, shop.sell: list the roles that may call it under access';
    expect(refusalLine(error)).toBe(`Waybill cannot start: ${open}`);
  },
);

test('a process with such a service ends with one line and exit code 1', async () => {
  const waybill = await spawnWaybill({
    services: 'inventory',
    env: { DATABASE_URL: await createDatabase() },
    preload: [FORGETFUL],
  });
  expect(await waybill.exited).toEqual({ code: 1, signal: null });
  expect(waybill.stderr).toEqual([
    expect.stringMatching(/^Waybill cannot start: no access rule for inventory\.create, inventory\.get: /),
  ]);
});

test('an action that only its own service calls needs no rule', async () => {
  const quiet = defineService<object>({
    name: 'quiet',
    actions: { inner: { visibility: 'private', handler }, near: { visibility: 'protected', handler } },
  });
  const broker = newBroker(quiet, ASKED);
  await broker.start();
  const { actions } = broker.getLocalService('quiet');
  expect(await actions.inner?.()).toBe('done');
  // A request over the mesh that names it would reach it.
  await expect(callAs(broker, ADMIN, 'quiet.near', {})).rejects.toBeInstanceOf(Forbidden);
  expect(await callAs(broker, ENGINE, 'quiet.near', {})).toBe('done');
});

const desk = defineService<object>({
  name: 'desk',
  actions: { stamp: { access: ['staff'], params: { $$strict: true, page: 'number' }, handler } },
});

test('the role is checked before the parameters', async () => {
  const broker = newBroker(desk, ASKED);
  await broker.start();
  await expect(callAs(broker, customer(1), 'desk.stamp', { nonsense: true })).rejects.toBeInstanceOf(Forbidden);
  await expect(callAs(broker, ADMIN, 'desk.stamp', { page: 1 })).rejects.toThrow(
    'Requires the role staff; your role is admin',
  );
  await expect(callAs(broker, STAFF, 'desk.stamp', { nonsense: true })).rejects.toBeInstanceOf(ValidationFailed);
  expect(await callAs(broker, STAFF, 'desk.stamp', { page: 1 })).toBe('done');
});

test('a refusal does not open the breaker of the action', async () => {
  const broker = newBroker(desk, ASKED);
  await broker.start();
  const refused = Array.from({ length: 40 }, () =>
    callAs(broker, customer(1), 'desk.stamp', {}).catch(() => undefined),
  );
  await Promise.all(refused);
  expect(await callAs(broker, STAFF, 'desk.stamp', { page: 1 })).toBe('done');
});

test('without authentication, rules cost nothing and everyone may do everything', async () => {
  const broker = newBroker(desk);
  await broker.start();
  expect(await callAs(broker, customer(1), 'desk.stamp', { page: 1 })).toBe('done');
  expect(
    access({ enforced: false }).localAction?.call(broker, handler, { name: 'desk.stamp', access: ['staff'] } as never),
  ).toBe(handler);
});
