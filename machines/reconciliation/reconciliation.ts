/** Reconciliation: the consistency rules for an order at rest, its reservation and its shipment. */
import type { OrderStatus } from '../order/order.words.ts';
import { orderLines, type ReservationStatus } from '../stock/stock.book.ts';
import type { Books, ImbalanceRecord, Item, OrderRecord, ReservationRecord, ShipmentRecord } from './books.ts';

export type DisagreementKind =
  | 'WORK_FORGOTTEN'
  | 'RESERVATION_WITHOUT_ORDER'
  | 'RESERVATION_MISSING'
  | 'RESERVATION_NOT_HELD'
  | 'SHIPPED_NOT_CONSUMED'
  | 'CANCELLED_ORDER_HOLDS_STOCK'
  | 'ITEMS_DIFFER'
  | 'SHIPMENT_WITHOUT_ORDER'
  | 'SHIPMENT_MISSING'
  | 'SHIPMENT_VOIDED'
  | 'SHIPMENT_OF_CANCELLED_ORDER_LIVE'
  | 'TRACKING_NUMBER_DIFFERS'
  | 'DELIVERY_MISSED'
  | 'RESERVED_SUM_DIFFERS'
  | 'RESERVED_OUT_OF_BOUNDS';

/** One inconsistency between the services, about an order or a product. */
export interface Disagreement {
  orderId?: number;
  productId?: number;
  kind: DisagreementKind;
  expected: string;
  found: string;
  /** A description for people. */
  message: string;
}

const NOTHING = 'none';

const HOLDS_STOCK: Record<ReservationStatus, boolean> = { HELD: true, CONSUMED: true, RELEASED: false, REFUSED: false };
const holdsStock = (reservation: ReservationRecord): boolean => HOLDS_STOCK[reservation.status];

/**
 * The inconsistencies of one order id; none while the order is in progress. Records that hold nothing (a released or
 * refused reservation, a voided shipment) need no order.
 */
export function judgeOrder({ orderId, order, reservation, shipment }: Books): Disagreement[] {
  if (!order) return [...strayReservation(reservation), ...strayShipment(shipment)];
  if (order.owes.length > 0 && !order.planned) {
    const owes = order.owes.join(', ');
    return [
      {
        orderId,
        kind: 'WORK_FORGOTTEN',
        expected: 'a due time',
        found: NOTHING,
        message: `Order ${orderId} is ${order.status} and owes ${owes}, but has no due time, so no node will resume it`,
      },
    ];
  }
  const demand = AT_REST[order.status];
  // A node of a newer version may send a status that this version does not know.
  if (!order.atRest || !demand) return [];
  const shipments = demand.shipment === 'VOIDED' ? judgeVoided(order, shipment) : judgeLive(order, shipment);
  return [...judgeReservation(order, demand, reservation), ...shipments];
}

function strayReservation(reservation: ReservationRecord | undefined): Disagreement[] {
  if (!reservation || !holdsStock(reservation)) return [];
  const { orderId, status } = reservation;
  const message = `Inventory has a ${status} reservation for order ${orderId}, but orders has no such order`;
  return [{ orderId, kind: 'RESERVATION_WITHOUT_ORDER', expected: 'an order', found: NOTHING, message }];
}

function strayShipment(shipment: ShipmentRecord | undefined): Disagreement[] {
  if (!shipment || shipment.status === 'VOIDED') return [];
  const { orderId, status } = shipment;
  const message = `Tracking has a shipment for order ${orderId} in status ${status}, but orders has no such order`;
  return [{ orderId, kind: 'SHIPMENT_WITHOUT_ORDER', expected: 'an order', found: NOTHING, message }];
}

/** What the peers must have for an order at rest. */
interface Demand {
  readonly reservation: readonly ReservationStatus[];
  /** The kind of disagreement when the reservation has another status. */
  readonly otherwise: DisagreementKind;
  readonly shipment: 'LIVE' | 'VOIDED';
}

/** By order status; null for a status that is never at rest. */
const AT_REST: Record<OrderStatus, Demand | null> = {
  PENDING_CHECK: null,
  CONFIRMED: { reservation: ['HELD'], otherwise: 'RESERVATION_NOT_HELD', shipment: 'LIVE' },
  SHIPPED: { reservation: ['CONSUMED'], otherwise: 'SHIPPED_NOT_CONSUMED', shipment: 'LIVE' },
  DELIVERED: { reservation: ['CONSUMED'], otherwise: 'SHIPPED_NOT_CONSUMED', shipment: 'LIVE' },
  CANCELLED: {
    reservation: ['RELEASED', 'REFUSED'],
    otherwise: 'CANCELLED_ORDER_HOLDS_STOCK',
    shipment: 'VOIDED',
  },
};

function judgeReservation(
  order: OrderRecord,
  demand: Demand,
  reservation: ReservationRecord | undefined,
): Disagreement[] {
  const { orderId, status } = order;
  const expected = demand.reservation.join(' or ');
  const about = `Order ${orderId} is ${status}`;
  if (!reservation) {
    // A cancelled order needs one too: the tombstone that rejects a late reserve.
    const message = `${about}, but inventory has no reservation for it`;
    return [{ orderId, kind: 'RESERVATION_MISSING', expected, found: NOTHING, message }];
  }
  const disagreements: Disagreement[] = [];
  if (!demand.reservation.includes(reservation.status)) {
    const message = `${about}, but its reservation is ${reservation.status}`;
    disagreements.push({ orderId, kind: demand.otherwise, expected, found: reservation.status, message });
  }
  const differing = holdsStock(reservation) ? differingProducts(order.items, reservation.items) : [];
  if (differing.length > 0) {
    const message = `${about}, but its reservation has different items`;
    const [wanted, held] = [order.items, reservation.items].map((items) => quantitiesText(items, differing));
    disagreements.push({ orderId, kind: 'ITEMS_DIFFER', expected: wanted as string, found: held as string, message });
  }
  return disagreements;
}

function judgeVoided(order: OrderRecord, shipment: ShipmentRecord | undefined): Disagreement[] {
  const { orderId, status } = order;
  const about = `Order ${orderId} is ${status}`;
  if (shipment && shipment.status !== 'VOIDED') {
    const message = `${about}, but its shipment is ${shipment.status}`;
    const kind = 'SHIPMENT_OF_CANCELLED_ORDER_LIVE';
    return [{ orderId, kind, expected: 'VOIDED', found: shipment.status, message }];
  }
  // A refused order never had a shipment; a voided one needs the tombstone that rejects a late creation.
  if (shipment || order.shipment !== 'voided') return [];
  const message = `${about}, but tracking has no record of its voided shipment`;
  return [{ orderId, kind: 'SHIPMENT_MISSING', expected: 'VOIDED', found: NOTHING, message }];
}

function judgeLive(order: OrderRecord, shipment: ShipmentRecord | undefined): Disagreement[] {
  const { orderId, status } = order;
  const about = `Order ${orderId} is ${status}`;
  const expected = order.trackingNumber ?? NOTHING;
  if (!shipment) {
    const message = `${about}, but tracking has no shipment for it`;
    return [{ orderId, kind: 'SHIPMENT_MISSING', expected, found: NOTHING, message }];
  }
  if (shipment.status === 'VOIDED') {
    const message = `${about}, but its shipment is VOIDED`;
    return [{ orderId, kind: 'SHIPMENT_VOIDED', expected: 'a live shipment', found: 'VOIDED', message }];
  }
  const found = shipment.trackingNumber ?? NOTHING;
  if (found === expected) return judgeDelivery(order, shipment);
  const message = `${about}, but its shipment has a different tracking number`;
  return [{ orderId, kind: 'TRACKING_NUMBER_DIFFERS', expected, found, message }];
}

/** How long a delivery event may take to reach the order. */
const DELIVERY_GRACE_MS = 60_000;

/** A delivered parcel makes its order DELIVERED, unless its event was lost or is late. */
function judgeDelivery({ orderId, status }: OrderRecord, shipment: ShipmentRecord): Disagreement[] {
  const missed = shipment.status === 'DELIVERED' && status !== 'DELIVERED';
  if (!missed || (shipment.unchangedMs ?? 0) < DELIVERY_GRACE_MS) return [];
  const message = `Order ${orderId} is ${status}, but its parcel was delivered`;
  return [{ orderId, kind: 'DELIVERY_MISSED', expected: 'DELIVERED', found: status, message }];
}

/** The inconsistencies of one product. */
export function judgeProduct({ productId, quantity, reservedQuantity, held }: ImbalanceRecord): Disagreement[] {
  const disagreements: Disagreement[] = [];
  if (held !== reservedQuantity) {
    const message = `Product ${productId} has reservedQuantity ${reservedQuantity}, but its reservations hold ${held}`;
    const [expected, found] = [String(held), String(reservedQuantity)];
    disagreements.push({ productId, kind: 'RESERVED_SUM_DIFFERS', expected, found, message });
  }
  if (reservedQuantity < 0 || reservedQuantity > quantity) {
    const message = `Product ${productId} has reservedQuantity ${reservedQuantity}, out of bounds for quantity ${quantity}`;
    const [expected, found] = [`0 to ${quantity}`, String(reservedQuantity)];
    disagreements.push({ productId, kind: 'RESERVED_OUT_OF_BOUNDS', expected, found, message });
  }
  return disagreements;
}

function quantitiesOf(items: readonly Item[]): Map<number, number> {
  const { productIds, quantities } = orderLines(items);
  return new Map(productIds.map((productId, i) => [productId, quantities[i] as number]));
}

/** The products whose quantities differ between the lists, however their lines are ordered or split. */
function differingProducts(a: readonly Item[], b: readonly Item[]): number[] {
  const [ofA, ofB] = [quantitiesOf(a), quantitiesOf(b)];
  return [...new Set([...ofA.keys(), ...ofB.keys()])].filter((productId) => ofA.get(productId) !== ofB.get(productId));
}

/** The maximum number of products that a text names. */
const NAMED = 5;

function quantitiesText(items: readonly Item[], productIds: readonly number[]): string {
  const quantities = quantitiesOf(items);
  const named = productIds
    .slice(0, NAMED)
    .map((productId) => `product ${productId}: ${quantities.get(productId) ?? 0}`);
  return `${named.join(', ')}${productIds.length > NAMED ? ', …' : ''}`;
}
