/** Orders for the tests of their stores: placed, changed and noted on whichever store. */
import { uuidOf } from '../../machines/shared/ids.ts';
import { decide, place } from '../../machines/order/order.decide.ts';
import type { Decision, OrderEvent } from '../../machines/order/order.ts';
import type { Due } from '../../mixins/actor/actor.ts';
import { orderChange } from '../../services/orders/engine/order-change.ts';
import type { OrderMemory, OrderPort, Placement, Written } from '../../services/orders/store/order.port.ts';

export const AT = Date.UTC(2026, 5, 1);
let last = 1_000_000;
export const freshId = (): number => ++last;

export interface Given {
  id?: number;
  customerId?: number;
  key?: string | null;
  fingerprint?: string;
  /** Tells UUIDs of one id apart. */
  mark?: number;
}

export function placementOf(given: Given = {}): Placement {
  const { id = freshId(), key = null, fingerprint = 'a'.repeat(32), mark = 1 } = given;
  const { customerId = id } = given;
  const request = {
    customerId,
    customerName: null,
    deliveryAddress: 'Café "12", \\ St James Square\n{London}',
    carrier: 'DHL',
    items: [
      { productId: 2, quantity: 1 },
      { productId: 1, quantity: 3 },
    ],
    requestId: 'request-1',
    by: { role: 'anonymous' },
    keyed: key !== null,
  };
  const uuid = uuidOf(id, new Uint8Array(8).fill(mark));
  return { decision: place(request, id, uuid, AT), caller: 'somebody', key, fingerprint };
}

export const SECURED: OrderEvent = {
  type: 'SECURED',
  prices: new Map([
    [1, 250n],
    [2, 999n],
  ]),
  shipment: { trackingNumber: 'TRK-1', estimatedDelivery: '2026-06-03T18:00:00.000Z' },
};
export const decided = (memory: OrderMemory, event: OrderEvent): Decision =>
  decide(memory.state, event, AT + 1) as Decision;
export const step = (
  store: OrderPort,
  memory: OrderMemory,
  event: OrderEvent,
  due: Due = { at: 'rest' },
): Promise<Written> => store.save(orderChange({ memory, decision: decided(memory, event), due }, AT + 1));
export const note = (store: OrderPort, memory: OrderMemory, due: Due): Promise<Written> =>
  store.save(orderChange({ memory, decision: undefined, due }, AT + 1));

export async function placed(store: OrderPort, options?: Given): Promise<OrderMemory> {
  return (await store.insert(placementOf(options))) as OrderMemory;
}
