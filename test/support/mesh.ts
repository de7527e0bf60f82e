/** The topology of docker-compose.yml as plain processes: NATS, one process a service, two of orders, a database each. */
import type { ServiceBroker } from 'moleculer';
import { joinMesh } from './broker.ts';
import { eventually } from './eventually.ts';
import { http, type Reply } from './http.ts';
import { type Nats, startNats } from './nats.ts';
import { createDatabase, query } from './postgres.ts';
import { startWaybill, type Waybill } from './waybill.ts';

export const NODES = ['api', 'orders-1', 'orders-2', 'inventory', 'tracking'] as const;
export type NodeName = (typeof NODES)[number];

export interface Mesh {
  readonly nats: Nats;
  /** The addresses of the three databases. */
  readonly databases: { readonly orders: string; readonly inventory: string; readonly tracking: string };
  /** Base of the gateway, with `/api/v1`. */
  readonly url: string;
  /** A broker that is no part of Waybill, in the same mesh. Its errors get back their classes. */
  readonly peer: ServiceBroker;
  node(name: NodeName): Waybill;
  /** Starts a node that has ended once more, under its name, as Docker does with a container. */
  restart(name: NodeName): Promise<void>;
  /** Resolves when every node that runs sees every service. */
  complete(): Promise<void>;
}

/** What an answer about an order has in it, more or less of it. */
export interface OrderBody {
  orderId: number;
  orderNumber: string;
  status: string;
  totalPrice: number | null;
  trackingNumber: string | null;
  warning?: string;
  error?: string;
}

const SERVICES = ['api', 'orders', 'inventory', 'tracking'];

/** Starts the whole mesh, on empty databases and without the demo catalogue. */
export async function startMesh(): Promise<Mesh> {
  const nats = await startNats();
  const databases = {
    orders: await createDatabase(),
    inventory: await createDatabase(),
    tracking: await createDatabase(),
  };
  const nodes = new Map<NodeName, Waybill>();
  const start = async (name: NodeName): Promise<void> => {
    const service = name.replace(/-\d$/, '');
    const env = {
      NODEID: name,
      TRANSPORTER: nats.url,
      DEMO_CATALOG: 'false',
      [`${service.toUpperCase()}_DATABASE_URL`]: (databases as Record<string, string | undefined>)[service],
    };
    nodes.set(name, await startWaybill({ services: service, env, readyWithinMs: 60_000 }));
  };
  const [peer] = await Promise.all([joinMesh('peer', nats.url), ...NODES.map(start)]);
  const node = (name: NodeName): Waybill => nodes.get(name) as Waybill;
  const complete = async (): Promise<void> => {
    const running = NODES.filter((name) => node(name).running());
    const wanted = SERVICES.filter((service) => running.some((name) => name.startsWith(service)));
    await Promise.all(running.map((name) => eventually(() => sees(peer, name, wanted), { withinMs: 30_000 })));
  };
  await complete();
  return {
    nats,
    databases,
    url: `${node('api').url}/api/v1`,
    peer,
    node,
    complete,
    restart: async (name) => {
      await start(name);
      await complete();
    },
  };
}

/** Fails until the node sees every wanted service on some node that answers. */
async function sees(peer: ServiceBroker, nodeID: NodeName, wanted: string[]): Promise<void> {
  const services: { name: string }[] = await peer.call(
    '$node.services',
    { onlyAvailable: true },
    { nodeID, timeout: 2_000 },
  );
  const missing = wanted.filter((name) => !services.some((service) => service.name === name));
  if (missing.length > 0) throw new Error(`${nodeID} does not see ${missing.join(', ')} yet`);
}

/** Creates a product and returns its id. */
export async function createProduct(mesh: Mesh, sku: string, price: number, initialStock: number): Promise<number> {
  const made = await http<{ id: number }>('POST', `${mesh.url}/inventory`, {
    body: { sku, name: sku, price, initialStock },
  });
  if (made.status !== 201) throw new Error(`no product was made: ${made.status} ${JSON.stringify(made.body)}`);
  return made.body.id;
}

let lastCustomer = 1_000;

/** Places an order of a customer of its own: without a key, equal bodies of one customer could be one order. */
export function place(mesh: Mesh, productId: number, quantity = 1): Promise<Reply<OrderBody>> {
  const items = [{ productId, quantity }];
  const body = { customerId: ++lastCustomer, items, deliveryAddress: '1 Harbour Street, Cork', carrier: 'DHL' };
  return http<OrderBody>('POST', `${mesh.url}/orders`, { body });
}

export function getOrder(mesh: Mesh, orderId: number): Promise<Reply<OrderBody>> {
  return http<OrderBody>('GET', `${mesh.url}/orders/${orderId}`);
}

/** Orders that are not at rest: something is owed for them still. */
export function unfinished(mesh: Mesh): Promise<{ id: string; status: string; owner: string | null }[]> {
  return query(
    mesh.databases.orders,
    'SELECT id, status, owner FROM orders.orders WHERE due_at IS NOT NULL OR parked_at IS NOT NULL',
  );
}

async function statuses(url: string, sql: string): Promise<Map<string, string>> {
  return new Map((await query<{ id: string; status: string }>(url, sql)).map((row) => [row.id, row.status]));
}

/** The errors in the books: none when each product has reserved exactly what is held for its orders. */
export async function imbalance(mesh: Mesh): Promise<unknown[]> {
  const wrong: unknown[] = await query(
    mesh.databases.inventory,
    `SELECT p.id, p.quantity, p.reserved_quantity, held.sum AS held FROM inventory.products p,
       LATERAL (SELECT coalesce(sum(l.quantity), 0) AS sum FROM inventory.reservation_lines l
                 WHERE l.product_id = p.id AND l.status = 'HELD') held
      WHERE p.reserved_quantity <> held.sum OR p.reserved_quantity > p.quantity`,
  );
  const [orders, reservations] = await Promise.all([
    statuses(mesh.databases.orders, 'SELECT id, status FROM orders.orders'),
    statuses(mesh.databases.inventory, 'SELECT order_id AS id, status FROM inventory.reservations'),
  ]);
  const due: Record<string, string> = { CONFIRMED: 'HELD', SHIPPED: 'CONSUMED', DELIVERED: 'CONSUMED' };
  for (const [id, status] of orders) {
    const reservation = reservations.get(id);
    const holds = reservation === 'HELD' || reservation === 'CONSUMED';
    if (due[status] ? reservation !== due[status] : holds) wrong.push({ order: id, status, reservation });
  }
  for (const id of reservations.keys()) if (!orders.has(id)) wrong.push({ reservation: id, status: 'of no order' });
  return wrong;
}
