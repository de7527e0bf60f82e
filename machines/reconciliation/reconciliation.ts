/** Reconciliation: what an order, its reservation and its shipment must agree on once the order is at rest. */
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
  | 'RESERVED_SUM_DIFFERS'
  | 'RESERVED_OUT_OF_BOUNDS';

/** One thing that the services say differently. It is about an order id or about a product. */
export interface Disagreement {
  orderId?: number;
  productId?: number;
  kind: DisagreementKind;
  expected: string;
  found: string;
  /** What is wrong, for people. */
  message: string;
}

const NOTHING = 'none';

const HOLDS_STOCK: Record<ReservationStatus, boolean> = { HELD: true, CONSUMED: true, RELEASED: false, REFUSED: false };
const holdsStock = (reservation: ReservationRecord): boolean => HOLDS_STOCK[reservation.status];

/**
 * What disagrees about one order id; nothing while the order is under way. Marks that hold nothing (a released or refused
 * reservation, a voided shipment) need no order.
 */
export function judgeOrder({ orderId, order, reservation, shipment }: Books): Disagreement[] {
  if (!order) return [...strayReservation(reservation), ...strayShipment(shipment)];
  if (order.owes.length > 0 && !order.planned) {
    const owes = order.owes.join(', ');
    return [
      {
        orderId,
        kind: 'WORK_FORGOTTEN',
        expected: `a time at which it is carried on`,
        found: NOTHING,
        message: `Order ${orderId} is ${order.status} and owes ${owes}, but nobody will carry it on`,
      },
    ];
  }
  const demand = AT_REST[order.status];
  // A node of a later version may know a status that is not judged here.
  if (!order.atRest || !demand) return [];
  const shipments = demand.shipment === 'VOIDED' ? judgeVoided(order, shipment) : judgeLive(order, shipment);
  return [...judgeReservation(order, demand, reservation), ...shipments];
}

function strayReservation(reservation: ReservationRecord | undefined): Disagreement[] {
  if (!reservation || !holdsStock(reservation)) return [];
  const { orderId, status } = reservation;
  const message = `Order ${orderId} has a reservation that is ${status}, but orders does not know it`;
  return [{ orderId, kind: 'RESERVATION_WITHOUT_ORDER', expected: 'an order', found: NOTHING, message }];
}

function strayShipment(shipment: ShipmentRecord | undefined): Disagreement[] {
  if (!shipment || shipment.status === 'VOIDED') return [];
  const { orderId, status } = shipment;
  const message = `Order ${orderId} has a shipment that is ${status}, but orders does not know it`;
  return [{ orderId, kind: 'SHIPMENT_WITHOUT_ORDER', expected: 'an order', found: NOTHING, message }];
}

/** What an order at rest asks of its peers. */
interface Demand {
  readonly reservation: readonly ReservationStatus[];
  /** What a reservation is called that is otherwise. */
  readonly otherwise: DisagreementKind;
  readonly shipment: 'LIVE' | 'VOIDED';
}

/** By the status of the order; null for one that is never at rest. */
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
    // A cancelled order has one too: the mark that keeps a late reserve out.
    const message = `${about}, but inventory has no reservation of it`;
    return [{ orderId, kind: 'RESERVATION_MISSING', expected, found: NOTHING, message }];
  }
  const disagreements: Disagreement[] = [];
  if (!demand.reservation.includes(reservation.status)) {
    const message = `${about}, but its reservation is ${reservation.status}`;
    disagreements.push({ orderId, kind: demand.otherwise, expected, found: reservation.status, message });
  }
  const differing = holdsStock(reservation) ? differingProducts(order.items, reservation.items) : [];
  if (differing.length > 0) {
    const message = `${about}, but its reservation has other items`;
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
  // What was refused never came to a shipment; what was voided has a mark that keeps a late one out.
  if (shipment || order.shipment !== 'voided') return [];
  const message = `${about}, but tracking has no mark that its shipment is voided`;
  return [{ orderId, kind: 'SHIPMENT_MISSING', expected: 'VOIDED', found: NOTHING, message }];
}

function judgeLive(order: OrderRecord, shipment: ShipmentRecord | undefined): Disagreement[] {
  const { orderId, status } = order;
  const about = `Order ${orderId} is ${status}`;
  const expected = order.trackingNumber ?? NOTHING;
  if (!shipment) {
    const message = `${about}, but tracking has no shipment of it`;
    return [{ orderId, kind: 'SHIPMENT_MISSING', expected, found: NOTHING, message }];
  }
  if (shipment.status === 'VOIDED') {
    const message = `${about}, but its shipment is VOIDED`;
    return [{ orderId, kind: 'SHIPMENT_VOIDED', expected: 'a live shipment', found: 'VOIDED', message }];
  }
  const found = shipment.trackingNumber ?? NOTHING;
  if (found === expected) return [];
  const message = `${about}, but its shipment has another tracking number`;
  return [{ orderId, kind: 'TRACKING_NUMBER_DIFFERS', expected, found, message }];
}

/** What disagrees about a product. */
export function judgeProduct({ productId, quantity, reservedQuantity, held }: ImbalanceRecord): Disagreement[] {
  const disagreements: Disagreement[] = [];
  if (held !== reservedQuantity) {
    const message = `Product ${productId} counts ${reservedQuantity} reserved, but its reservations hold ${held}`;
    const [expected, found] = [String(held), String(reservedQuantity)];
    disagreements.push({ productId, kind: 'RESERVED_SUM_DIFFERS', expected, found, message });
  }
  if (reservedQuantity < 0 || reservedQuantity > quantity) {
    const message = `Product ${productId} counts ${reservedQuantity} reserved of ${quantity}`;
    const [expected, found] = [`0 to ${quantity}`, String(reservedQuantity)];
    disagreements.push({ productId, kind: 'RESERVED_OUT_OF_BOUNDS', expected, found, message });
  }
  return disagreements;
}

function quantitiesOf(items: readonly Item[]): Map<number, number> {
  const { productIds, quantities } = orderLines(items);
  return new Map(productIds.map((productId, i) => [productId, quantities[i] as number]));
}

/** The products of which one list has another quantity, whatever the order of its lines and however they are split. */
function differingProducts(a: readonly Item[], b: readonly Item[]): number[] {
  const [ofA, ofB] = [quantitiesOf(a), quantitiesOf(b)];
  return [...new Set([...ofA.keys(), ...ofB.keys()])].filter((productId) => ofA.get(productId) !== ofB.get(productId));
}

/** Products that a text names at most. */
const NAMED = 5;

function quantitiesText(items: readonly Item[], productIds: readonly number[]): string {
  const quantities = quantitiesOf(items);
  const named = productIds
    .slice(0, NAMED)
    .map((productId) => `product ${productId}: ${quantities.get(productId) ?? 0}`);
  return `${named.join(', ')}${productIds.length > NAMED ? ', …' : ''}`;
}
