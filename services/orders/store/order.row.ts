/** Converts an order's row to the order in memory. */
import { parseMoney } from '../../../machines/shared/money.ts';
import type { Order, OrderLine } from '../../../machines/order/order.ts';
import { stateOf } from '../../../machines/order/order.chart.ts';
import { type OrderUpgrades, upgrade } from '../../../machines/order/order.upgrades.ts';
import { columns, selected, table } from '../../../mixins/database/model.ts';
import { type OrderColumns, OrderModel } from '../models/order.model.ts';
import { OrderHistoryModel } from '../models/order-history.model.ts';
import type { OrderMemory } from './order.port.ts';

// biome-ignore format: one line a group
const AS_STORED = ['id', 'orderNumber', 'customerId', 'customerName', 'deliveryAddress', 'carrier', 'totalPrice',
  'trackingNumber', 'refusal', 'requestId', 'keyed', 'status', 'stockState', 'shipmentState', 'machineVersion', 'seq',
  'version', 'owner', 'attempt', 'lastError'] as const;

const O = columns(OrderModel, 'o');
const H = columns(OrderHistoryModel, 'h');

/** The columns of an order `o` for every read. Times are in Unix milliseconds; arrays are PostgreSQL text. */
export const ORDER_COLUMNS = `${selected(OrderModel, AS_STORED, 'o')},
  ${O.productIds}::text AS "productIds", ${O.quantities}::text AS quantities,
  ${O.pricesAtPurchase}::text AS "pricesAtPurchase",
  (extract(epoch FROM ${O.estimatedDelivery}) * 1000)::float8 AS "estimatedDelivery",
  (extract(epoch FROM ${O.orderDate}) * 1000)::float8 AS "orderDate",
  (SELECT (extract(epoch FROM ${H.at}) * 1000)::float8 FROM ${table(OrderHistoryModel)} h
    WHERE ${H.orderId} = ${O.id} AND ${H.seq} = ${O.seq}) AS "updatedAt"`;

/** A row of ORDER_COLUMNS. Its states are those of the machine version that wrote them. */
export interface OrderRow
  extends Omit<Pick<OrderColumns, (typeof AS_STORED)[number]>, 'status' | 'stockState' | 'shipmentState'> {
  status: string;
  stockState: string;
  shipmentState: string;
  productIds: string;
  quantities: string;
  pricesAtPurchase: string | null;
  estimatedDelivery: number | null;
  orderDate: number;
  updatedAt: number;
}

const elements = (array: string): string[] => array.slice(1, -1).split(',');

function linesOf(row: OrderRow): OrderLine[] {
  const quantities = elements(row.quantities);
  const prices = row.pricesAtPurchase === null ? undefined : elements(row.pricesAtPurchase);
  return elements(row.productIds).map((productId, i) => ({
    productId: Number(productId),
    quantity: Number(quantities[i]),
    price: prices === undefined ? null : parseMoney(prices[i] as string),
  }));
}

/**
 * Converts a row. A state of an older machine version is upgraded, and stored upgraded at the next save.
 * @throws ServiceUnavailable when a newer machine version wrote it; Error when the machine does not have its state
 */
export function memoryOf(row: OrderRow, upgrades?: OrderUpgrades, version?: number): OrderMemory {
  const stored = { order: row.status, stock: row.stockState, shipment: row.shipmentState };
  const order: Order = {
    id: row.id,
    uuid: row.orderNumber,
    customerId: row.customerId,
    customerName: row.customerName,
    deliveryAddress: row.deliveryAddress,
    carrier: row.carrier,
    lines: linesOf(row),
    total: row.totalPrice === null ? null : parseMoney(row.totalPrice),
    shipment:
      row.trackingNumber === null || row.estimatedDelivery === null
        ? null
        : { trackingNumber: row.trackingNumber, estimatedDelivery: new Date(row.estimatedDelivery).toISOString() },
    refusal: row.refusal,
    placedAt: row.orderDate,
    updatedAt: row.updatedAt,
    requestId: row.requestId,
    keyed: row.keyed,
    state: stateOf(upgrade(row.machineVersion, stored, upgrades, version)),
    seq: row.seq,
  };
  return {
    id: row.id,
    state: order,
    version: row.version,
    work: { owner: row.owner, attempt: row.attempt, lastError: row.lastError },
  };
}
