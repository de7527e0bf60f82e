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
 * Bounds the catalogue's calls, which wait for a connection each. The stock book's need none: they share one
 * connection, and its group commit refuses what it cannot take, where a bulkhead would cap how large batches grow.
 */
const bulkhead = { enabled: true, concurrency: 32, maxQueueSize: 1_000 };
/** A write keeps its connection for a whole transaction: the stock book must find one free. */
const writing = { ...bulkhead, concurrency: 4 };

/** Puts a new product into the catalogue. @throws DuplicateSku */
export const create = defineAction<InventoryOwn, NewProduct>({
  access: ['staff', 'admin'],
  params: createParams,
  bulkhead: writing,
  async handler(ctx): Promise<Product> {
    return productOf(await this.catalog.create(ctx.params));
  },
});

/** Changes a product's name, description or price; what is reserved keeps its price. @throws NotFound */
export const update = defineAction<InventoryOwn, ProductChange>({
  access: ['staff', 'admin'],
  params: updateParams,
  bulkhead: writing,
  async handler(ctx): Promise<Product> {
    return productOf(await this.catalog.update(ctx.params));
  },
});

/** One product. @throws NotFound */
export const get = defineAction<InventoryOwn, ProductRequest>({
  access: ['customer', 'staff', 'admin'],
  params: getParams,
  bulkhead,
  async handler(ctx): Promise<Product> {
    return productOf(await this.products.get(ctx.params.id));
  },
});

/** Products by id, a page at a time: hand `next` back as `cursor` while it is not null. */
export const list = defineAction<InventoryOwn, ProductListRequest>({
  access: ['customer', 'staff', 'admin'],
  params: listParams,
  bulkhead,
  async handler(ctx): Promise<ProductPage> {
    const { rows, next } = await this.products.list(ctx.params);
    return { items: rows.map(productOf), next };
  },
});
