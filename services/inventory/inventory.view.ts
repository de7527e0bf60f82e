/** The public view of products and stock. */
import type { ReservationRecord } from '../../machines/reconciliation/books.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import type { OrderOutcome, StockLevel } from '../../machines/stock/stock.book.ts';
import type { PricedItem, Product, StockReply } from './inventory.types.ts';
import type { ProductColumns } from './models/product.model.ts';
import type { ReservationColumns } from './models/reservation.model.ts';

/** The view of a product row. A JSON number can represent every NUMERIC(12,2). */
export function productOf(row: ProductColumns): Product {
  const { id, sku, name, description, quantity, reservedQuantity } = row;
  return {
    id,
    sku,
    name,
    description,
    price: Number(row.price),
    quantity,
    reservedQuantity,
    availableStock: quantity - reservedQuantity,
  };
}

/** The view of a product with its stock after a change. */
export function restocked(row: ProductColumns, { quantity, reserved }: Readonly<StockLevel>): Product {
  return { ...productOf(row), quantity, reservedQuantity: reserved, availableStock: quantity - reserved };
}

/** The reply to peers for the outcome of an order operation. */
export function replyOf({ success, message, unavailableProducts, held }: OrderOutcome): StockReply {
  const reply: StockReply = { success, message, unavailableProducts: [...unavailableProducts] };
  if (held) {
    reply.items = held.productIds.map((productId, i): PricedItem => {
      const price = held.prices[i];
      return { productId, quantity: held.quantities[i] as number, price: moneyToNumber(price as bigint) };
    });
  }
  return reply;
}

/** The view of a reservation for reconciliation. */
export function reservationOf(row: ReservationColumns): ReservationRecord {
  return {
    orderId: row.orderId,
    status: row.status,
    items: row.productIds.map((productId, i) => ({ productId, quantity: row.quantities[i] as number })),
  };
}
