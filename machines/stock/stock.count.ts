/** A counted stock: what a product really has, in place of what the book says. */
import { StockBelowReserved } from './stock.failures.ts';
import type { StockLevel } from './stock.book.ts';

/**
 * The level after a count. Units reserved for orders are part of it.
 * @throws StockBelowReserved when fewer units were counted than are reserved: orders would not get theirs
 */
export function counted(level: Readonly<StockLevel>, quantity: number): StockLevel {
  const { productId, reserved } = level;
  if (quantity < reserved) {
    const message = `Product ${productId} has ${reserved} reserved units: cancel orders until at most ${quantity} are reserved, then set the stock again`;
    throw new StockBelowReserved(message, { productId, reservedQuantity: reserved });
  }
  return { ...level, quantity };
}
