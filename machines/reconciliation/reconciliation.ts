/** Reconciliation: what an order, its reservation and its shipment must agree on once the order is at rest. */
import type { Effect } from '../order/order.words.ts';
import { orderLines, type ReservationStatus } from '../stock/stock.book.ts';

interface Item {
  readonly productId: number;
  readonly quantity: number;
}

/** An order as `orders.states` answers it. */
export interface OrderRecord {
  readonly orderId: number;
  /** PENDING_CHECK, CONFIRMED, SHIPPED, DELIVERED or CANCELLED. */
  readonly status: string;
  /** The states of the chart's other regions. */
  readonly stock: string;
  readonly shipment: string;
  /** What the state owes to peers. */
  readonly owes: readonly Effect[];
  /** Whether recovery or an operator will find it: it is due at some time, or parked. */
  readonly planned: boolean;
  /** Nothing is owed and nothing is planned. Only an order at rest is held against its peers. */
  readonly atRest: boolean;
  readonly items: readonly Item[];
  readonly trackingNumber: string | null;
  /** Changes exactly when the order does. */
  readonly seq: number;
}

/** A reservation as `inventory.reservations` answers it. */
export interface ReservationRecord {
  readonly orderId: number;
  readonly status: ReservationStatus;
  readonly items: readonly Item[];
}

/** A shipment as `tracking.shipments` answers it. Without a number it is a void that came before the shipment. */
export interface ShipmentRecord {
  readonly orderId: number;
  readonly status: string;
  readonly trackingNumber: string | null;
}

/** A product whose levels do not fit what is held of it, as `inventory.imbalances` answers it. */
export interface ImbalanceRecord {
  readonly productId: number;
  readonly quantity: number;
  readonly reservedQuantity: number;
  /** The sum of its live reservations. */
  readonly held: number;
}

/** What the three services know about one order id. */
export interface Books {
  readonly orderId: number;
  readonly order?: OrderRecord | undefined;
  readonly reservation?: ReservationRecord | undefined;
  readonly shipment?: ShipmentRecord | undefined;
}

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
const holdsStock = (reservation: ReservationRecord): boolean =>
  reservation.status === 'HELD' || reservation.status === 'CONSUMED';

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
  if (!order.atRest || order.status === 'PENDING_CHECK') return [];
  return [...judgeReservation(order, reservation), ...judgeShipment(order, shipment)];
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

/** What a status asks of the reservation, and what it is called when it is otherwise. */
const RESERVATION: Record<string, { kind: DisagreementKind; statuses: readonly ReservationStatus[] }> = {
  CONFIRMED: { kind: 'RESERVATION_NOT_HELD', statuses: ['HELD'] },
  SHIPPED: { kind: 'SHIPPED_NOT_CONSUMED', statuses: ['CONSUMED'] },
  DELIVERED: { kind: 'SHIPPED_NOT_CONSUMED', statuses: ['CONSUMED'] },
  CANCELLED: { kind: 'CANCELLED_ORDER_HOLDS_STOCK', statuses: ['RELEASED', 'REFUSED'] },
};

function judgeReservation(order: OrderRecord, reservation: ReservationRecord | undefined): Disagreement[] {
  const { orderId, status } = order;
  const rule = RESERVATION[status];
  if (!rule) return [];
  const expected = rule.statuses.join(' or ');
  const about = `Order ${orderId} is ${status}`;
  if (!reservation) {
    // A cancelled order has one too: the mark that keeps a late reserve out.
    const message = `${about}, but inventory has no reservation of it`;
    return [{ orderId, kind: 'RESERVATION_MISSING', expected, found: NOTHING, message }];
  }
  const disagreements: Disagreement[] = [];
  if (!rule.statuses.includes(reservation.status)) {
    const message = `${about}, but its reservation is ${reservation.status}`;
    disagreements.push({ orderId, kind: rule.kind, expected, found: reservation.status, message });
  }
  const differing = holdsStock(reservation) ? differingProducts(order.items, reservation.items) : [];
  if (differing.length > 0) {
    const message = `${about}, but its reservation has other items`;
    const [wanted, held] = [order.items, reservation.items].map((items) => quantitiesText(items, differing));
    disagreements.push({ orderId, kind: 'ITEMS_DIFFER', expected: wanted as string, found: held as string, message });
  }
  return disagreements;
}

function judgeShipment(order: OrderRecord, shipment: ShipmentRecord | undefined): Disagreement[] {
  const { orderId, status } = order;
  const about = `Order ${orderId} is ${status}`;
  if (status === 'CANCELLED') {
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
