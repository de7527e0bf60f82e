/** Products and stock as callers see them. */
import type { ReservationRecord } from '../../machines/reconciliation/books.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import type { OrderOutcome, StockLevel } from '../../machines/stock/stock.book.ts';
import type { PricedItem, Product, StockReply } from './inventory.types.ts';
import type { ProductColumns } from './models/product.model.ts';
import type { ReservationColumns } from './models/reservation.model.ts';

/** A product as its row has it. NUMERIC(12,2) has 12 digits, which a JSON number holds exactly. */
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

/** The product with the stock that a change has left it with. */
export function restocked(row: ProductColumns, { quantity, reserved }: Readonly<StockLevel>): Product {
  return { ...productOf(row), quantity, reservedQuantity: reserved, availableStock: quantity - reserved };
}

/** What peers are told of what was decided for an order. */
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

/** A reservation as whoever compares the books reads it. */
export function reservationOf(row: ReservationColumns): ReservationRecord {
  return {
    orderId: row.orderId,
    status: row.status,
    items: row.productIds.map((productId, i) => ({ productId, quantity: row.quantities[i] as number })),
  };
}
