/** addStock: how stock comes in. */
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { addStockParams } from '../inventory.params.ts';
import type { Product, StockAddition } from '../inventory.types.ts';
import { restocked } from '../inventory.view.ts';

/**
 * Adds units to a product. Not idempotent: when the answer is lost, read the product before adding again.
 * @throws NotFound, ValidationFailed when the stock would pass its bound.
 */
export const addStock = defineAction<InventoryOwn, StockAddition>({
  access: ['staff', 'admin'],
  params: addStockParams,
  async handler(ctx): Promise<Product> {
    const { id, amount } = ctx.params;
    const { level } = await this.book.add(id, amount);
    return restocked(await this.products.get(id), level);
  },
});
