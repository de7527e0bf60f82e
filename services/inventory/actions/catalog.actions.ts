/** create, update, get, list: the catalogue of products. */
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { createParams, getParams, listParams, updateParams } from '../inventory.params.ts';
import type {
  NewProduct,
  Product,
  ProductChange,
  ProductListRequest,
  ProductPage,
  ProductRequest,
} from '../inventory.types.ts';
import { productOf } from '../inventory.view.ts';

/**
 * Limits the catalogue's calls, each of which needs a connection. The calls of the stock book need no bulkhead: they share
 * one connection, their group commit rejects excess calls, and a bulkhead would limit the size of its batches.
 */
const bulkhead = { enabled: true, concurrency: 32, maxQueueSize: 1_000 };
/** Lower, because a write holds its connection for a whole transaction, and the stock book needs a free one. */
export const writing = { ...bulkhead, concurrency: 4 };

/** Adds a product to the catalogue. @throws DuplicateSku */
export const create = defineAction<InventoryOwn, NewProduct>({
  access: ['staff', 'admin'],
  params: createParams,
  bulkhead: writing,
  async handler(ctx): Promise<Product> {
    return productOf(await this.catalog.create(ctx.params));
  },
});

/** Changes a product's name, description or price; reservations keep their prices. @throws NotFound */
export const update = defineAction<InventoryOwn, ProductChange>({
  access: ['staff', 'admin'],
  repeatable: true,
  params: updateParams,
  bulkhead: writing,
  async handler(ctx): Promise<Product> {
    return productOf(await this.catalog.update(ctx.params));
  },
});

/** One product. @throws NotFound */
export const get = defineAction<InventoryOwn, ProductRequest>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: getParams,
  bulkhead,
  async handler(ctx): Promise<Product> {
    return productOf(await this.products.get(ctx.params.id));
  },
});

/** Products by id, or the one with a SKU, a page at a time: pass `next` as `cursor` until it is null. */
export const list = defineAction<InventoryOwn, ProductListRequest>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: listParams,
  bulkhead,
  async handler(ctx): Promise<ProductPage> {
    const { rows, next } = await this.products.list(ctx.params);
    return { items: rows.map(productOf), next };
  },
});
