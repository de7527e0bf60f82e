/** reserve, release, consume: what orders do with the stock. Each is repeatable by order id. */
import { type OrderOperation, orderLines } from '../../../machines/stock/stock.book.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { orderParams } from '../inventory.params.ts';
import type { StockOrder, StockReply } from '../inventory.types.ts';
import { replyOf } from '../inventory.view.ts';

const stockAction = (kind: OrderOperation['kind']) =>
  defineAction<InventoryOwn, StockOrder>({
    access: ['staff', 'admin'],
    params: orderParams,
    async handler(ctx): Promise<StockReply> {
      const { orderId, items } = ctx.params;
      return replyOf(await this.book.order({ kind, orderId, lines: orderLines(items) }));
    },
  });

/**
 * Reserves all items of an order or none, in order of arrival. The same order again gets the first answer.
 * Short or unknown products and a total past the largest amount are answers with `success: false`, not errors.
 * @throws OrderIdReused when the order id has a reservation with other items.
 */
export const reserve = stockAction('reserve');

/**
 * Gives an order's reservation back, whole. Before its reserve it leaves a mark that makes the late reserve fail.
 * Again: the same answer. A consumed reservation answers `success: false`.
 * @throws OrderIdReused when the reservation has other items.
 */
export const release = stockAction('release');

/**
 * Takes what an order has reserved out of the stock. Again: the same answer. Without a reservation, or with one
 * that was released or refused, it answers `success: false`.
 * @throws OrderIdReused when the reservation has other items.
 */
export const consume = stockAction('consume');
