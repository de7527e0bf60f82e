/** Who may do what: every role at every action and route, on its own customer's data and that of others. */
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ServiceBroker } from 'moleculer';
import { Forbidden } from '../../mixins/auth/auth.failures.ts';
import { NotFound } from '../../machines/shared/failure.ts';
import { type Caller, ENGINE } from '../../mixins/auth/caller.ts';
import type { GatewayAlias, WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { http } from '../support/http.ts';
import { ADMIN, bearer, callAs, customer, SECRET, STAFF } from '../support/tokens.ts';

/** `absent`: as if it did not exist. `nothing`: an empty list. */
type Verdict = 'allowed' | 'forbidden' | 'absent' | 'nothing';

/** A customer with an order that is confirmed and not yet shipped. */
interface Subject {
  customerId: number;
  orderId: number;
  trackingNumber: string;
}

interface Row {
  /** A customer with its own things, a customer with another's, and staff or an admin with anyone's. */
  own: Verdict;
  others: Verdict;
  staff: Verdict;
  /** The request. The engine sets up its preconditions. */
  params(subject: Subject): object | Promise<object>;
}

const EVERYBODY = { own: 'allowed', others: 'allowed', staff: 'allowed' } as const;
const OWNERS = { own: 'allowed', others: 'absent', staff: 'allowed' } as const;
const OPERATORS = { own: 'forbidden', others: 'forbidden', staff: 'allowed' } as const;
const ENGINE_ONLY = { own: 'forbidden', others: 'forbidden', staff: 'forbidden' } as const;

let engine: Engine;
let productId: number;
let lastId = 1_000_000;
const order = ({ orderId }: Subject): object => ({ id: orderId });
const none = (): object => ({});
const stock = (): object => ({ orderId: ++lastId, items: [{ productId, quantity: 1 }] });
const parcel = (): object => ({ orderId: ++lastId, deliveryAddress: '1 Harbour Street, Cork', carrier: 'DHL' });

const ACTIONS: Record<string, Row> = {
  'orders.create': {
    ...OWNERS,
    others: 'forbidden',
    params: (of) => ({ ...bodyOf(productId), customerId: of.customerId }),
  },
  'orders.get': { ...OWNERS, params: order },
  'orders.history': { ...OWNERS, params: order },
  'orders.explain': { ...OWNERS, params: order },
  'orders.cancel': { ...OWNERS, params: order },
  'orders.listByCustomer': { ...OWNERS, others: 'nothing', params: ({ customerId }) => ({ customerId }) },
  'orders.search': { ...OWNERS, others: 'nothing', params: ({ customerId }) => ({ customerId }) },
  'orders.ship': { ...OPERATORS, params: order },
  'orders.deliver': { ...OPERATORS, params: shipped },
  'orders.retry': { ...OPERATORS, params: order },
  'orders.feed': { ...ENGINE_ONLY, params: none },
  'orders.states': { ...ENGINE_ONLY, params: none },
  'orders.ready': { ...ENGINE_ONLY, params: none },
  'inventory.get': { ...EVERYBODY, params: () => ({ id: productId }) },
  'inventory.list': { ...EVERYBODY, params: none },
  'inventory.create': { ...OPERATORS, params: () => ({ sku: `matrix-${++lastId}`, name: 'Cup', price: 1 }) },
  'inventory.update': { ...OPERATORS, params: () => ({ id: productId, price: 11 }) },
  'inventory.addStock': { ...OPERATORS, params: () => ({ id: productId, amount: 1 }) },
  'inventory.setStock': {
    ...OPERATORS,
    params: () => ({ id: productId, quantity: 1_000_000, reason: 'counted' }),
  },
  'inventory.reserve': { ...OPERATORS, params: stock },
  'inventory.release': { ...OPERATORS, params: stock },
  'inventory.consume': { ...OPERATORS, params: stock },
  'inventory.reservations': { ...ENGINE_ONLY, params: none },
  'inventory.imbalances': { ...ENGINE_ONLY, params: none },
  'inventory.ready': { ...ENGINE_ONLY, params: none },
  'tracking.get': { ...OWNERS, params: ({ trackingNumber }) => ({ trackingNumber }) },
  'tracking.list': { ...OWNERS, others: 'nothing', params: ({ orderId }) => ({ orderId }) },
  'tracking.createShipment': { ...OPERATORS, params: parcel },
  'tracking.void': { ...OPERATORS, params: ({ orderId }) => ({ orderId }) },
  'tracking.addEvent': { ...OPERATORS, params: ({ trackingNumber }) => ({ trackingNumber, status: 'IN_TRANSIT' }) },
  'tracking.shipments': { ...ENGINE_ONLY, params: none },
  'tracking.ready': { ...ENGINE_ONLY, params: none },
  'reports.reconciliation': { ...OPERATORS, params: none },
  'api.orderEvents': { ...OWNERS, params: order },
  'api.ordersEvents': { ...EVERYBODY, params: none },
  'api.live': { ...EVERYBODY, params: none },
  'api.readiness': { ...EVERYBODY, params: none },
  'api.metrics': { ...OPERATORS, params: none },
};

/** What a stranger may ask, without a token. */
const PUBLIC = new Set(['GET /health/live', 'GET /health/ready']);

async function shipped(subject: Subject): Promise<object> {
  await engine.command('ship', subject.orderId);
  return order(subject);
}

beforeAll(async () => {
  engine = await startEngine({ env: { AUTH_JWT_SECRET: SECRET } });
  productId = await engine.product({ stock: 1_000_000 });
});

async function newSubject(): Promise<Subject> {
  const { orderId, customerId, trackingNumber } = await engine.confirmed(productId);
  return { orderId, customerId, trackingNumber: trackingNumber as string };
}

interface Cell {
  who: string;
  caller: (subject: Subject) => Caller;
  expected: (row: Row) => Verdict;
}
const CELLS: Cell[] = [
  { who: 'a customer with its own', caller: ({ customerId }) => customer(customerId), expected: ({ own }) => own },
  { who: "a customer with another's", caller: () => customer(++lastId), expected: ({ others }) => others },
  { who: 'staff', caller: () => STAFF, expected: ({ staff }) => staff },
  { who: 'an admin', caller: () => ADMIN, expected: ({ staff }) => staff },
];
const FROM_INSIDE: Cell[] = [...CELLS, { who: 'the engine', caller: () => ENGINE, expected: () => 'allowed' }];

/** What came of a call to a list that must not be empty, or to anything else. */
function verdictOf(action: string, answer: unknown): Verdict {
  if (answer instanceof Forbidden) return 'forbidden';
  if (answer instanceof NotFound) return 'absent';
  if (answer instanceof Error) throw answer;
  if (answer instanceof Readable) answer.destroy();
  const list = { 'orders.search': 'orders', 'orders.listByCustomer': 'items', 'tracking.list': 'items' }[action];
  const entries = list && (Array.isArray(answer) ? answer : (answer as Record<string, unknown[]>)[list]);
  return entries?.length === 0 ? 'nothing' : 'allowed';
}

const actionsOf = (broker: ServiceBroker): string[] =>
  broker.registry.getActionList({ onlyLocal: true, skipInternal: true }).map(({ name }: { name: string }) => name);
const api = (): WithGateway => engine.broker.getLocalService('api') as unknown as WithGateway;
const lineOf = ({ method, fullPath }: GatewayAlias): string => `${method} ${fullPath}`;

test('every action and every route has its row', () => {
  expect(actionsOf(engine.broker).toSorted()).toEqual(Object.keys(ACTIONS).toSorted());
  const unknown = api().aliases.filter(({ action }) => !ACTIONS[action]);
  expect(unknown.map(lineOf)).toEqual([]);
});

describe.each(Object.entries(ACTIONS))('%s', (action, row) => {
  test.each(FROM_INSIDE)('over the broker, $who', async ({ caller, expected }) => {
    const subject = await newSubject();
    const params = await row.params(subject);
    const answer = await callAs(engine.broker, caller(subject), action, params).catch((error: unknown) => error);
    expect(verdictOf(action, answer)).toBe(expected(row));
  });
});

/** A request for what `params` say: what the path has no place for goes into the body, or into the query of a GET. */
async function request({ method, fullPath, endpoint }: GatewayAlias, params: object, headers: Record<string, string>) {
  const rest: Record<string, unknown> = { ...params };
  const path = fullPath.replaceAll(/:(\w+)/g, (_all, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return value;
  });
  const query = method === 'GET' ? `?${new URLSearchParams(rest as Record<string, string>).toString()}` : '';
  const body = method === 'GET' || Object.keys(rest).length === 0 ? undefined : rest;
  const url = `http://127.0.0.1:${api().http.address.port}${path}${query}`;
  if (!endpoint.stream) return http<unknown>(method, url, { headers, body });
  // The headers alone: the body would not end.
  const { status, body: stream } = await fetch(url, { method, headers });
  await stream?.cancel();
  return { status, body: {} };
}

function verdictOfStatus(action: string, status: number, body: unknown): Verdict | 'unknown' | number {
  if (status === 401) return 'unknown';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'absent';
  return status < 300 ? verdictOf(action, body) : status;
}

test.each([...CELLS, { who: 'a stranger' } as Partial<Cell>])('over HTTP, $who', async ({ caller, expected }) => {
  const wrong: unknown[] = [];
  for (const route of api().aliases) {
    const { action } = route;
    const row = ACTIONS[action] as Row;
    const subject = await newSubject();
    const headers = caller ? await bearer(caller(subject)) : {};
    const { status, body } = await request(route, await row.params(subject), headers);
    const toStrangers = PUBLIC.has(lineOf(route)) ? 'allowed' : 'unknown';
    const due = expected ? expected(row) : toStrangers;
    const verdict = verdictOfStatus(action, status, body);
    if (verdict !== due) wrong.push({ route: lineOf(route), verdict, due, body });
  }
  expect(wrong).toEqual([]);
});

test.each(['list', 'services', 'actions', 'events', 'health', 'options', 'metrics'])(
  "$node.%s, Moleculer's own, is for the engine alone",
  async (name) => {
    for (const caller of [customer(1), STAFF, ADMIN])
      await expect(callAs(engine.broker, caller, `$node.${name}`, {})).rejects.toBeInstanceOf(Forbidden);
    await expect(callAs(engine.broker, ENGINE, `$node.${name}`, {})).resolves.toBeDefined();
  },
);
