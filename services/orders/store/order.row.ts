/** An order's row, and the way from it to the order in memory. */
import { parseMoney } from '../../../machines/shared/money.ts';
import type { Order, OrderLine, Refusal } from '../../../machines/order/order.ts';
import { stateOf } from '../../../machines/order/order.chart.ts';
import { type OrderUpgrades, upgrade } from '../../../machines/order/order.upgrades.ts';
import type { OrderMemory } from './order.port.ts';

/** The columns every read of an order asks for. Times are Unix milliseconds; arrays are their PostgreSQL text. */
export const ORDER_COLUMNS = `o.id, o.order_number, o.customer_id, o.customer_name, o.delivery_address, o.carrier,
  o.product_ids::text, o.quantities::text, o.prices_at_purchase::text, o.total_price::text, o.tracking_number,
  (extract(epoch FROM o.estimated_delivery) * 1000)::float8 AS estimated_delivery, o.refusal,
  (extract(epoch FROM o.order_date) * 1000)::float8 AS order_date, o.request_id, o.keyed,
  o.status, o.stock_state, o.shipment_state, o.machine_version, o.seq, o.version, o.owner, o.attempt, o.last_error`;

/** What ORDER_COLUMNS answers. */
export interface OrderRow {
  id: number;
  order_number: string;
  customer_id: number;
  customer_name: string | null;
  delivery_address: string;
  carrier: string;
  product_ids: string;
  quantities: string;
  prices_at_purchase: string | null;
  total_price: string | null;
  tracking_number: string | null;
  estimated_delivery: number | null;
  refusal: Refusal | null;
  order_date: number;
  request_id: string | null;
  keyed: boolean;
  status: string;
  stock_state: string;
  shipment_state: string;
  machine_version: number;
  seq: number;
  version: number;
  owner: string | null;
  attempt: number;
  last_error: string | null;
}

const elements = (array: string): string[] => array.slice(1, -1).split(',');

function linesOf(row: OrderRow): OrderLine[] {
  const quantities = elements(row.quantities);
  const prices = row.prices_at_purchase === null ? undefined : elements(row.prices_at_purchase);
  return elements(row.product_ids).map((productId, i) => ({
    productId: Number(productId),
    quantity: Number(quantities[i]),
    price: prices === undefined ? null : parseMoney(prices[i] as string),
  }));
}

/**
 * Reads a row; a snapshot of an older machine is brought up to this code's, and written so at the next save.
 * @throws ServiceUnavailable when a newer machine wrote it; Error when it is of a state that this code's machine does
 * not have.
 */
export function memoryOf(row: OrderRow, upgrades?: OrderUpgrades, version?: number): OrderMemory {
  const stored = { order: row.status, stock: row.stock_state, shipment: row.shipment_state };
  const order: Order = {
    id: row.id,
    uuid: row.order_number,
    customerId: row.customer_id,
    customerName: row.customer_name,
    deliveryAddress: row.delivery_address,
    carrier: row.carrier,
    lines: linesOf(row),
    total: row.total_price === null ? null : parseMoney(row.total_price),
    shipment:
      row.tracking_number === null || row.estimated_delivery === null
        ? null
        : { trackingNumber: row.tracking_number, estimatedDelivery: new Date(row.estimated_delivery).toISOString() },
    refusal: row.refusal,
    placedAt: row.order_date,
    requestId: row.request_id,
    keyed: row.keyed,
    state: stateOf(upgrade(row.machine_version, stored, upgrades, version)),
    seq: row.seq,
  };
  return {
    id: row.id,
    state: order,
    version: row.version,
    work: { owner: row.owner, attempt: row.attempt, lastError: row.last_error },
  };
}
