/**
 * The hand-written answer: node:http, a pool of connections, and one prepared call of one stored function an order,
 * which is one transaction and one round trip. It keeps no history, publishes no event, and carries nothing on after a
 * crash: it does what has to be done for a 201, and that as fast as it can.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import pg from 'pg';

interface Line {
  productId: number;
  quantity: number;
}

interface Body {
  customerId: number;
  customerName?: string;
  deliveryAddress: string;
  carrier: string;
  items: Line[];
}

interface OrderRow {
  id: string;
  order_number: string;
  customer_id: string;
  status: string;
  total_price: string;
  order_date: number;
  tracking_number: string;
  estimated_delivery: number;
  product_ids: string;
  quantities: string;
  prices: string;
}

const PLACE = {
  name: 'place',
  text: 'SELECT placed, unit_prices, total FROM place_order($1, $2, $3, $4, $5::bigint[], $6::bigint[], $7, $8, $9, $10, $11)',
};
const SUMMARY = `id, order_number, status, total_price, (extract(epoch FROM order_date) * 1000)::float8 AS order_date`;
const GET = {
  name: 'get',
  text: `SELECT ${SUMMARY}, customer_id, tracking_number, product_ids::text, quantities::text, prices::text,
    (extract(epoch FROM estimated_delivery) * 1000)::float8 AS estimated_delivery FROM orders WHERE id = $1`,
};
const LIST = {
  name: 'list',
  text: `SELECT ${SUMMARY} FROM orders WHERE customer_id = $1 ORDER BY id DESC LIMIT $2`,
};

const DELIVERY_MS = 3 * 86_400_000;
const ORDERS = '/api/v1/orders';
const OF_CUSTOMER = `${ORDERS}/customer/`;

const [port = '0', url = '', poolSize = '32'] = process.argv.slice(2);
const pool = new pg.Pool({
  connectionString: url,
  max: Number(poolSize),
  idleTimeoutMillis: 0,
  application_name: 'bench baseline',
  // As in Waybill's own sessions: every row is found by its key, statements are planned once, and never compiled.
  options: '-c jit=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan',
});
pool.on('error', () => undefined);

const elements = (array: string): number[] => array.slice(1, -1).split(',').map(Number);

function answer(response: ServerResponse, status: number, body: unknown, location?: string): void {
  const text = JSON.stringify(body);
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  };
  if (location !== undefined) headers.Location = location;
  response.writeHead(status, headers).end(text);
}

function isOrder(body: Body): boolean {
  return (
    Number.isSafeInteger(body.customerId) &&
    typeof body.deliveryAddress === 'string' &&
    typeof body.carrier === 'string' &&
    Array.isArray(body.items) &&
    body.items.length > 0 &&
    body.items.every((item) => Number.isSafeInteger(item.productId) && item.quantity > 0)
  );
}

async function place(text: string, key: string | null, response: ServerResponse): Promise<void> {
  const body = JSON.parse(text) as Body;
  if (!isOrder(body)) return answer(response, 400, { error: 'Bad Request' });
  const { customerId, customerName = null, deliveryAddress, carrier } = body;
  const items = body.items.toSorted((a, b) => a.productId - b.productId);
  const now = Date.now();
  const orderDate = new Date(now).toISOString();
  const estimatedDelivery = new Date(now + DELIVERY_MS).toISOString();
  const [orderNumber, tracking] = [randomUUID(), randomUUID()];
  const productIds = `{${items.map((item) => item.productId).join(',')}}`;
  const quantities = `{${items.map((item) => item.quantity).join(',')}}`;
  const { rows } = await pool.query<{ placed: string; unit_prices: string; total: string }>({
    ...PLACE,
    values: [
      customerId,
      customerName,
      deliveryAddress,
      carrier,
      productIds,
      quantities,
      orderNumber,
      tracking,
      orderDate,
      estimatedDelivery,
      key,
    ],
  });
  const [row] = rows;
  if (!row) return answer(response, 500, { error: 'Internal Server Error' });
  const prices = elements(row.unit_prices);
  const order = {
    orderId: Number(row.placed),
    orderNumber: `ORD-${orderNumber}`,
    customerId,
    status: 'CONFIRMED',
    totalPrice: Number(row.total),
    orderDate,
    trackingNumber: `TRK-${tracking}`,
    estimatedDelivery,
    items: items.map(({ productId, quantity }, i) => ({ productId, quantity, priceAtPurchase: prices[i] })),
  };
  answer(response, 201, order, `${ORDERS}/${row.placed}`);
}

const summary = (row: OrderRow) => ({
  orderId: Number(row.id),
  orderNumber: `ORD-${row.order_number}`,
  status: row.status,
  totalPrice: Number(row.total_price),
  orderDate: new Date(row.order_date).toISOString(),
});

async function get(id: string, response: ServerResponse): Promise<void> {
  const [row] = (await pool.query<OrderRow>({ ...GET, values: [id] })).rows;
  if (!row) return answer(response, 404, { error: 'Not Found' });
  const [quantities, prices] = [elements(row.quantities), elements(row.prices)];
  answer(response, 200, {
    ...summary(row),
    customerId: Number(row.customer_id),
    trackingNumber: `TRK-${row.tracking_number}`,
    estimatedDelivery: new Date(row.estimated_delivery).toISOString(),
    items: elements(row.product_ids).map((productId, i) => ({
      productId,
      quantity: quantities[i],
      priceAtPurchase: prices[i],
    })),
  });
}

async function list(path: string, response: ServerResponse): Promise<void> {
  const [customer, query = ''] = path.slice(OF_CUSTOMER.length).split('?limit=');
  const { rows } = await pool.query<OrderRow>({ ...LIST, values: [customer, query || 50] });
  answer(response, 200, rows.map(summary));
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const fail = (error: Error & { code?: string }): void =>
    error.code === 'P0001'
      ? answer(response, 400, { error: 'Insufficient stock', unavailableProducts: [Number(error.message)] })
      : answer(response, 500, { error: 'Internal Server Error', message: error.message });
  const path = request.url ?? '';
  if (request.method === 'POST' && path === ORDERS) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const key = (request.headers['idempotency-key'] as string | undefined) ?? null;
      place(Buffer.concat(chunks).toString(), key, response).catch(fail);
    });
  } else if (path.startsWith(OF_CUSTOMER)) list(path, response).catch(fail);
  else if (path.startsWith(`${ORDERS}/`)) get(path.slice(ORDERS.length + 1), response).catch(fail);
  else answer(response, path === '/health/ready' ? 200 : 404, {});
}

createServer({ keepAliveTimeout: 65_000 }, handle).listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
