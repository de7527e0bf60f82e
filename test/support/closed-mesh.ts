/** A mesh whose callers are authenticated: four processes with one secret, on a NATS that lets everyone in. */
import type { ServiceBroker } from 'moleculer';
import type { Caller } from '../../mixins/auth/caller.ts';
import { joinMesh } from './broker.ts';
import { eventually } from './eventually.ts';
import { http, type Reply } from './http.ts';
import type { OrderBody } from './mesh.ts';
import { type Nats, type NatsOptions, startNats } from './nats.ts';
import { createDatabase, query } from './postgres.ts';
import { ADMIN, bearer, customer, SECRET } from './tokens.ts';
import { startWaybill, type Waybill } from './waybill.ts';

export const CLOSED_NODES = { api: 'api', 'orders-1': 'orders', 'orders-2': 'orders', stock: 'inventory,tracking' };
export type ClosedNode = keyof typeof CLOSED_NODES;

export interface ClosedMesh {
  nats: Nats;
  databaseUrl: string;
  nodes: Record<ClosedNode, Waybill>;
  /** Sends a request to the gateway as this caller. */
  as: <Body = Record<string, unknown>>(
    caller: Caller,
    method: string,
    path: string,
    body?: object,
  ) => Promise<Reply<Body>>;
}

/** Starts the mesh and waits until an order can be placed in it. `login` is the NATS login of the nodes. */
export async function startClosedMesh(
  options: NatsOptions = {},
  login: (url: string) => Record<string, string> = () => ({}),
): Promise<ClosedMesh> {
  const nats = await startNats(options);
  const databaseUrl = await createDatabase();
  const start = async ([nodeID, services]: [string, string]): Promise<[string, Waybill]> => {
    const own = { NODEID: nodeID, TRANSPORTER: nats.url, DATABASE_URL: databaseUrl, AUTH_JWT_SECRET: SECRET };
    const env = { ...own, DEMO_CATALOG: 'false', ...login(nats.url) };
    return [nodeID, await startWaybill({ services, env, readyWithinMs: 60_000 })];
  };
  const nodes = Object.fromEntries(await Promise.all(Object.entries(CLOSED_NODES).map(start))) as ClosedMesh['nodes'];
  const as: ClosedMesh['as'] = async (caller, method, path, body) =>
    await http(method, `${nodes.api.url}/api/v1${path}`, { headers: await bearer(caller), body });
  const mesh = { nats, databaseUrl, nodes, as };
  const productId = await createProduct(mesh, 'FIRST', 100);
  await eventually(async () => expectStatus(await placeAs(mesh, 1, productId), 201), { withinMs: 30_000 });
  return mesh;
}

/** A broker that knows the mesh's name and the address of NATS, and nothing secret. */
export async function startStranger(mesh: ClosedMesh, nodeID = 'stranger'): Promise<ServiceBroker> {
  const stranger = await joinMesh(nodeID, mesh.nats.url);
  await stranger.waitForServices(['orders', 'inventory', 'tracking'], 20_000);
  return stranger;
}

export async function createProduct(mesh: ClosedMesh, sku: string, initialStock: number): Promise<number> {
  const product = { sku, name: sku, price: 5, initialStock };
  return await eventually(
    async () => expectStatus(await mesh.as<{ id: number }>(ADMIN, 'POST', '/inventory', product), 201).body.id,
    { withinMs: 30_000 },
  );
}

/** Places an order of one piece as this customer. */
export function placeAs(mesh: ClosedMesh, customerId: number, productId: number): Promise<Reply<OrderBody>> {
  const items = [{ productId, quantity: 1 }];
  const order = { customerId, items, deliveryAddress: '1 Harbour Street, Cork', carrier: 'DHL' };
  return mesh.as<OrderBody>(customer(customerId), 'POST', '/orders', order);
}

/** What the database says of an order. */
export async function statusOf(mesh: ClosedMesh, orderId: number): Promise<string | undefined> {
  const [row] = await query<{ status: string }>(
    mesh.databaseUrl,
    `SELECT status FROM orders.orders WHERE id = ${orderId}`,
  );
  return row?.status;
}

function expectStatus<Body>(reply: Reply<Body>, status: number): Reply<Body> {
  if (reply.status !== status) throw new Error(`${reply.status}: ${JSON.stringify(reply.body)}`);
  return reply;
}
