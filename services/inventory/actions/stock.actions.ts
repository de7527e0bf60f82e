/** reserve, release, consume: the stock operations of orders, each idempotent by order id. */
import { type OrderOperation, orderLines } from '../../../machines/stock/stock.book.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { orderParams } from '../inventory.params.ts';
import type { StockOrder, StockReply } from '../inventory.types.ts';
import { replyOf } from '../inventory.view.ts';

const stockAction = (kind: OrderOperation['kind']) =>
  defineAction<InventoryOwn, StockOrder>({
    access: ['staff', 'admin'],
    repeatable: true,
    params: orderParams,
    async handler(ctx): Promise<StockReply> {
      const { orderId, items } = ctx.params;
      return replyOf(await this.book.order({ kind, orderId, lines: orderLines(items) }));
    },
  });

/**
 * Reserves all items of an order or none, in order of arrival. A repeat gets the first answer again. Short or unknown
 * products and a total above the largest amount are answered with `success: false`, not with an error.
 * @throws OrderIdReused when the order id already has a reservation with different items
 */
export const reserve = stockAction('reserve');

/**
 * Releases the whole reservation of an order. Called before the reserve, it leaves a tombstone that makes the late reserve
 * fail. A repeat gets the same answer. A consumed reservation is answered with `success: false`.
 * @throws OrderIdReused when the reservation has different items
 */
export const release = stockAction('release');

/**
 * Removes the reserved items of an order from stock. A repeat gets the same answer. A missing, released or refused
 * reservation is answered with `success: false`.
 * @throws OrderIdReused when the reservation has different items
 */
export const consume = stockAction('consume');
