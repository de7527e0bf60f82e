/** An order of three lines, every event it can meet, and the order after some of them. */
import { IllegalTransition } from '../../machines/shared/failure.ts';
import { uuidOf } from '../../machines/shared/ids.ts';
import type { Cents } from '../../machines/shared/money.ts';
import { decide, place } from '../../machines/order/order.decide.ts';
import { type Decision, type Order, type OrderEvent } from '../../machines/order/order.ts';

export const AT = Date.UTC(2026, 10, 22, 10, 0, 0);
export const ID = 115_000_000_000_017;
export const UUID = uuidOf(ID, new Uint8Array(8));
export const SHIPMENT = { trackingNumber: `TRK-${UUID}`, estimatedDelivery: '2026-11-25T00:00:00.000Z' };
export const PRICES = new Map<number, Cents>([
  [1, 1_990n],
  [2, 5n],
]);
export const REFUSAL = { message: 'Insufficient stock', unavailableProducts: [2] };

export const request = {
  customerId: 9,
  customerName: 'Ada Lovelace',
  deliveryAddress: '12 St James Square, London',
  carrier: 'DHL',
  requestId: 'request-1',
  by: { role: 'anonymous' },
  keyed: false,
  items: [
    { productId: 1, quantity: 2 },
    { productId: 2, quantity: 3 },
    { productId: 1, quantity: 1 },
  ],
};

export const EVENTS: Record<OrderEvent['type'], OrderEvent> = {
  SECURED: { type: 'SECURED', prices: PRICES, shipment: SHIPMENT },
  RESERVED: { type: 'RESERVED', prices: PRICES },
  REFUSED: { type: 'REFUSED', refusal: REFUSAL },
  SHIPMENT_CREATED: { type: 'SHIPMENT_CREATED', shipment: SHIPMENT },
  CANCEL: { type: 'CANCEL' },
  EXPIRE: { type: 'EXPIRE', reason: 'It took too long' },
  SHIP: { type: 'SHIP' },
  DELIVER: { type: 'DELIVER' },
  STOCK_CONSUMED: { type: 'STOCK_CONSUMED' },
  STOCK_RELEASED: { type: 'STOCK_RELEASED' },
  SHIPMENT_VOIDED: { type: 'SHIPMENT_VOIDED' },
  PARCEL_DELIVERED: { type: 'PARCEL_DELIVERED' },
};

export const placed = (): Decision => place(request, ID, UUID, AT);

/** The order after some events, each of which must be allowed. */
export function after(...types: OrderEvent['type'][]): Order {
  let { order } = placed();
  for (const type of types) {
    const decision = decide(order, EVENTS[type], AT);
    if (!decision) throw new Error(`${type} changed nothing`);
    ({ order } = decision);
  }
  return order;
}

export function refusalOf(run: () => unknown): IllegalTransition {
  try {
    run();
  } catch (error) {
    if (error instanceof IllegalTransition) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
