/** addStock: adds units to a product. */
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { addStockParams } from '../inventory.params.ts';
import type { Product, StockAddition } from '../inventory.types.ts';
import { restocked } from '../inventory.view.ts';

/**
 * Adds units to a product. Not idempotent: if the response is lost, read the product before adding again.
 * @throws NotFound, ValidationFailed when the stock would exceed its maximum
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
