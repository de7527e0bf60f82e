/** The whole engine in this process on a real PostgreSQL: four services on one broker, whose calls a test can disturb. */
import type { BrokerOptions, Middleware, Service, ServiceBroker, ServiceSchema } from 'moleculer';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { apiService } from '../../services/api/api.service.ts';
import inventory from '../../services/inventory/inventory.service.ts';
import type { Product } from '../../services/inventory/inventory.types.ts';
import orders from '../../services/orders/orders.service.ts';
import type { Explanation, HistoryEntryView, OrderView, PlacedOrder } from '../../services/orders/orders.types.ts';
import reports from '../../services/reports/reports.service.ts';
import tracking from '../../services/tracking/tracking.service.ts';
import { programBroker } from './broker.ts';
import { type Reply, http } from './http.ts';
import { createDatabase, query } from './postgres.ts';

/** Stands between the broker and a handler; `run` calls the handler. */
export type Disturbance = (run: () => Promise<unknown>) => Promise<unknown>;

const SERVICES: Record<string, ServiceSchema> = { orders, inventory, tracking, reports };
/** Short pauses, so that tests do not wait long for automatic work. */
const SETTINGS = {
  CALL_TIMEOUT: '1s',
  ORDER_LEASE: '2500ms',
  ORDER_RETRY_BASE: '20ms',
  ORDER_RETRY_CAP: '200ms',
};

export interface EngineOptions {
  /** The database of an engine that is there already: this is one more node. */
  databaseUrl?: string;
  nodeID?: string;
  /** Settings by the names of their variables. */
  env?: Record<string, string>;
  /** Options of the breaker on top of the program's own. */
  breaker?: Partial<BrokerOptions['circuitBreaker']>;
}

/** What an HTTP answer about an order may hold. */
export type OrderAnswer = Partial<OrderView> & {
  error?: string;
  message?: string;
  warning?: string;
  unavailableProducts?: number[];
};

let lastCustomer = 0;
let lastSku = 0;

/** Starts an engine; it is stopped after the test file at the latest. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const databaseUrl = options.databaseUrl ?? (await createDatabase());
  const engine = new Engine(databaseUrl, options);
  await engine.start();
  return engine;
}

export class Engine {
  readonly databaseUrl: string;
  readonly broker: ServiceBroker;
  /** The calls that reached a peer's handler, or its disturbance: action and order id. */
  readonly calls: { action: string; orderId: number }[] = [];
  readonly #disturbances = new Map<string, Disturbance>();
  readonly #api: Service;

  constructor(databaseUrl: string, { nodeID = 'engine-1', breaker, env }: EngineOptions) {
    this.databaseUrl = databaseUrl;
    const settings = { ...SETTINGS, ...env, DATABASE_URL: databaseUrl, NODEID: nodeID };
    this.broker = programBroker(settings, ({ middlewares = [], circuitBreaker }) => ({
      // The first middleware is the one nearest to the handler: timeouts and breakers see what it does.
      middlewares: [this.#between(), ...middlewares],
      // Calls that a test makes hang never end, and a stop need not wait for them.
      tracking: { enabled: true, shutdownTimeout: 500 },
      circuitBreaker: { ...circuitBreaker, ...breaker },
    }));
    for (const schema of Object.values(SERVICES)) this.broker.createService(schema);
    this.#api = this.broker.createService(apiService());
  }

  start(): Promise<void> {
    return this.broker.start();
  }

  async stop(): Promise<void> {
    if (this.broker.started) await this.broker.stop();
  }

  /** Puts something between the broker and an action's handler, until it is taken away again. */
  disturb(action: string, disturbance: Disturbance | undefined): void {
    if (disturbance) this.#disturbances.set(action, disturbance);
    else this.#disturbances.delete(action);
  }

  /** Takes a service away as a crash of its process would. */
  async takeAway(name: string): Promise<void> {
    const service = this.broker.getLocalService(name);
    if (service) await this.broker.destroyService(service);
  }

  /** Brings a service back. */
  async bringBack(name: string): Promise<void> {
    this.broker.createService(SERVICES[name] as ServiceSchema);
    await this.broker.waitForServices(name);
  }

  /** Undoes what a test has disturbed or taken away. */
  async restore(): Promise<void> {
    this.#disturbances.clear();
    for (const name of Object.keys(SERVICES)) if (!this.broker.getLocalService(name)) await this.bringBack(name);
  }

  async product({ stock = 100, price = 10 } = {}): Promise<number> {
    const params = { sku: `sku-${++lastSku}-${this.broker.nodeID}`, name: 'Cup', price, initialStock: stock };
    return (await this.broker.call<Product, object>('inventory.create', params)).id;
  }

  /** Where the gateway listens. */
  get port(): number {
    return (this.#api as unknown as WithGateway).http.address.port;
  }

  /** Sends a request to the gateway. */
  send<Body = OrderAnswer>(method: string, path: string, options?: Parameters<typeof http>[2]): Promise<Reply<Body>> {
    return http<Body>(method, `http://127.0.0.1:${this.port}/api/v1${path}`, options);
  }

  /** Places an order over HTTP. */
  post(body: object, headers: Record<string, string> = {}): Promise<Reply<OrderAnswer>> {
    return this.send('POST', '/orders', { body, headers });
  }

  /** Places an order that must be confirmed. */
  async confirmed(productId: number, quantity = 2): Promise<OrderView> {
    return (await this.broker.call<PlacedOrder, object>('orders.create', bodyOf(productId, quantity))).order;
  }

  /** Gives an order a command: `cancel`, `ship` or `deliver`. */
  command(name: string, id: number, params: object = {}): Promise<OrderView> {
    return this.broker.call<OrderView, object>(`orders.${name}`, { id, ...params });
  }

  async order(id: number | undefined): Promise<OrderView> {
    return (await this.broker.call<{ order: OrderView }, object>('orders.get', { id })).order;
  }

  history(id: number | undefined): Promise<HistoryEntryView[]> {
    return this.broker.call<HistoryEntryView[], object>('orders.history', { id });
  }

  explain(id: number | undefined): Promise<Explanation> {
    return this.broker.call<Explanation, object>('orders.explain', { id });
  }

  /** How much of a product there is, and how much of it is reserved. */
  async stock(productId: number): Promise<[quantity: number, reserved: number]> {
    const product = await this.broker.call<Product, object>('inventory.get', { id: productId });
    return [product.quantity, product.reservedQuantity];
  }

  /** The status of an order's shipment; undefined when there is none. */
  async shipment(orderId: number | undefined): Promise<string | undefined> {
    return (
      await this.rows<{ status: string }>('SELECT status FROM tracking.shipments WHERE order_id = $1', [orderId])
    )[0]?.status;
  }

  rows<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return query<Row & Record<string, unknown>>(this.databaseUrl, sql, values);
  }

  /** How many calls of an action there were for an order, or for all. */
  called(action: string, orderId?: number): number {
    return this.calls.filter((call) => call.action === action && (orderId ?? call.orderId) === call.orderId).length;
  }

  #between(): Middleware {
    return {
      name: 'Disturbance',
      localAction: (next, { name = '' }) => {
        if (!/^(inventory|tracking)\./.test(name)) return next;
        const { calls } = this;
        const disturbances = this.#disturbances;
        return function between(this: Service, ctx) {
          calls.push({ action: name, orderId: (ctx.params as { orderId: number } | null)?.orderId as number });
          const run = async (): Promise<unknown> => next.call(this, ctx);
          return disturbances.get(name)?.(run) ?? run();
        };
      },
    };
  }
}

/** The body of an order of a new customer. */
export function bodyOf(productId: number, quantity = 2) {
  return {
    customerId: ++lastCustomer,
    customerName: 'Ada Lovelace',
    items: [{ productId, quantity }],
    deliveryAddress: '12 St James Square, London',
    carrier: 'DHL',
  };
}

/** Never answers, like a peer that hangs. */
export const hang: Disturbance = () => new Promise<never>(() => undefined);
