/** setStock: sets the stock of a product to what was counted. */
import { callerOf } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { InventoryOwn } from '../inventory.context.ts';
import { setStockParams } from '../inventory.params.ts';
import type { Product, StockCount } from '../inventory.types.ts';
import { productOf } from '../inventory.view.ts';
import { writing } from './catalog.actions.ts';

/**
 * Sets the stock of a product, reserved units included, up or down, and keeps the reason. A repeat changes nothing more.
 * @throws NotFound, StockBelowReserved
 */
export const setStock = defineAction<InventoryOwn, StockCount>({
  access: ['staff', 'admin'],
  repeatable: true,
  params: setStockParams,
  bulkhead: writing,
  async handler(ctx): Promise<Product> {
    return productOf(await this.catalog.setStock(ctx.params, callerOf(ctx).subject));
  },
});
