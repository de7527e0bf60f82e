/** get, listByCustomer, search, history: the read actions of orders. */
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { findOrder } from './find-order.ts';
import { detailsOf, etagOf } from '../orders.view.ts';
import type { OrdersOwn } from '../orders.context.ts';
import * as params from '../orders.params.ts';
import type {
  HistoryEntryView,
  ListByCustomerParams,
  OrderIdParams,
  OrderSummary,
  OrderWithTag,
  SearchParams,
  SearchResult,
} from '../orders.types.ts';

/** An order with its etag, by id or `ORD-<uuid>`. @throws NotFound */
export const get = defineAction<OrdersOwn, OrderIdParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: params.orderId,
  async handler(ctx): Promise<OrderWithTag> {
    const { state } = await findOrder(this.store, ctx.params.id, confinedTo(ctx));
    return { order: detailsOf(state), etag: etagOf(state) };
  },
});

/** A customer's orders, newest first, a page at a time. */
export const listByCustomer = defineAction<OrdersOwn, ListByCustomerParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: params.listByCustomer,
  handler(ctx): Promise<{ items: OrderSummary[]; next: string | null }> {
    return this.queries.listByCustomer(ctx.params, confinedTo(ctx));
  },
});

/** Orders that match every given condition, a page at a time. */
export const search = defineAction<OrdersOwn, SearchParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: params.search,
  handler(ctx): Promise<SearchResult> {
    return this.queries.search(ctx.params, confinedTo(ctx));
  },
});

/** Every transition of an order, oldest first. @throws NotFound */
export const history = defineAction<OrdersOwn, OrderIdParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: params.orderId,
  async handler(ctx): Promise<HistoryEntryView[]> {
    const { id } = await findOrder(this.store, ctx.params.id, confinedTo(ctx));
    return await this.queries.history(id);
  },
});
