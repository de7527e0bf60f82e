/** The routes of `/inventory`, to the actions of the inventory service. */
import {
  created,
  mergeParams,
  pageReply,
  pathId,
  type RouteGroup,
  route,
} from '../../../mixins/gateway/routes/endpoint.ts';
import type { Product, ProductPage, StockReply } from '../../inventory/inventory.types.ts';
import { API_PATH } from './api-path.ts';

const MONEY = ['price'] as const;

/** The route of a stock operation. The reply to peers also has prices, which this API does not expose. */
const stockCommand = (name: 'reserve' | 'release' | 'consume') =>
  route<StockReply>(`POST /inventory/${name}`, `inventory.${name}`, {
    body: 'required',
    params: ({ body }) => body,
    reply: ({ success, message, unavailableProducts }) => ({
      status: 200,
      body: { success, message, unavailableProducts },
    }),
  });

export const inventoryRoutes: RouteGroup = {
  name: 'inventory',
  path: API_PATH,
  endpoints: [
    route<Product>('POST /inventory', 'inventory.create', {
      body: 'required',
      params: ({ body }) => body,
      reply: (product) => created(`${API_PATH}/inventory/${product.id}`, product),
      money: MONEY,
    }),
    route<ProductPage>('GET /inventory', 'inventory.list', {
      query: { sku: 'text', limit: 'integer', cursor: 'text' },
      params: ({ query }) => ({ ...query }),
      reply: pageReply,
      money: MONEY,
    }),
    route('GET /inventory/:id', 'inventory.get', { params: ({ path }) => ({ id: pathId(path.id) }), money: MONEY }),
    route('PUT /inventory/:id', 'inventory.update', {
      body: 'required',
      params: ({ body, path }) => mergeParams(body, { id: pathId(path.id) }),
      money: MONEY,
    }),
    route('POST /inventory/:id/addStock', 'inventory.addStock', {
      body: 'required',
      params: ({ body, path }) => mergeParams(body, { id: pathId(path.id) }),
      money: MONEY,
    }),
    route('PUT /inventory/:id/stock', 'inventory.setStock', {
      body: 'required',
      params: ({ body, path }) => mergeParams(body, { id: pathId(path.id) }),
      money: MONEY,
    }),
    stockCommand('reserve'),
    stockCommand('release'),
    stockCommand('consume'),
  ],
};
