/** The routes of `/orders`, to the actions of the orders service. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import { readIfMatch } from '../../../mixins/gateway/request/conditional.ts';
import {
  created,
  type Input,
  mergeParams,
  noContent,
  pageReply,
  pathId,
  type RouteGroup,
  route,
} from '../../../mixins/gateway/routes/endpoint.ts';
import type { CallMeta, OrderWithTag, PlacedOrder } from '../../orders/orders.types.ts';
import type { QueryValues } from '../../../mixins/gateway/request/query.ts';
import { API_PATH } from './api-path.ts';

const MONEY = ['priceAtPurchase', 'totalPrice'] as const;

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

function idempotencyKey({ headers }: Input): (CallMeta & Record<string, unknown>) | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    const message = 'An idempotency key must be 1 to 255 visible ASCII characters, without spaces';
    throw ValidationFailed.of([{ field: 'Idempotency-Key', type: 'idempotencyKey', message }]);
  }
  return { idempotencyKey: key };
}

/** The route of a command. The id is passed on as given: the orders service accepts the number and `ORD-…`. */
const command = (name: 'cancel' | 'ship' | 'deliver', body?: 'optional') =>
  route(`PUT /orders/:id/${name}`, `orders.${name}`, {
    ...(body && { body }),
    params({ path, headers, body: fields }) {
      const ifMatch = readIfMatch(headers['if-match']);
      return mergeParams(fields, { id: path.id, ifMatch });
    },
    reply: noContent,
  });

/** Several statuses are separated by commas. */
function searchParams({ status, ...query }: QueryValues): object {
  return status === undefined ? query : { ...query, status: listOf(String(status)) };
}

const listOf = (text: string): string | string[] => (text.includes(',') ? text.split(',') : text);

export const ordersRoutes: RouteGroup = {
  name: 'orders',
  path: API_PATH,
  endpoints: [
    route<PlacedOrder>('POST /orders', 'orders.create', {
      body: 'required',
      params: ({ body }) => body,
      meta: idempotencyKey,
      reply: ({ order, replayed, warning }) =>
        created(
          `${API_PATH}/orders/${order.orderId}`,
          warning === undefined ? order : { ...order, warning },
          replayed ? { 'Idempotent-Replayed': 'true' } : undefined,
        ),
      sheds: true,
      money: MONEY,
    }),
    route('GET /orders', 'orders.search', {
      query: {
        status: 'text',
        q: 'text',
        customerId: 'integer',
        productId: 'integer',
        from: 'text',
        to: 'text',
        minTotal: 'money',
        maxTotal: 'money',
        waitingFor: 'text',
        sort: 'text',
        limit: 'integer',
        cursor: 'text',
      },
      params: ({ query }) => searchParams(query),
      money: MONEY,
    }),
    route('GET /orders/customer/:customerId', 'orders.listByCustomer', {
      query: { limit: 'integer', cursor: 'text' },
      params: ({ path, query }) => ({ ...query, customerId: pathId(path.customerId) }),
      reply: pageReply,
      money: MONEY,
    }),
    route<OrderWithTag>('GET /orders/:id', 'orders.get', {
      reply: ({ order, etag }) => ({ status: 200, body: order, etag }),
      money: MONEY,
    }),
    command('cancel', 'optional'),
    command('ship'),
    command('deliver'),
    route('GET /orders/:id/history', 'orders.history'),
    route('GET /orders/:id/explain', 'orders.explain'),
    route('POST /orders/:id/retry', 'orders.retry'),
  ],
};
