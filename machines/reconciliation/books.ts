/** The records of orders, inventory and tracking that reconciliation compares. */
import type { StateValueFrom } from 'xstate';
import type { orderMachine } from '../order/order.machine.ts';
import type { Effect, OrderStatus } from '../order/order.words.ts';
import type { ReservationStatus } from '../stock/stock.book.ts';

/** A quantity of a product. */
export interface Item {
  readonly productId: number;
  readonly quantity: number;
}

/** The state of an order in each region of its chart. */
type Regions = Required<Extract<StateValueFrom<typeof orderMachine>, object>>;

/** An order as returned by `orders.states`. */
export interface OrderRecord {
  readonly orderId: number;
  readonly status: OrderStatus;
  /** The states of the chart's other regions. */
  readonly stock: Regions['stock'];
  readonly shipment: Regions['shipment'];
  /** The effects that the state owes to peers. */
  readonly owes: readonly Effect[];
  /** Whether the order has a due time for recovery, or is parked for an operator. */
  readonly planned: boolean;
  /** Nothing is owed and nothing is planned. Only orders at rest are compared with their peers. */
  readonly atRest: boolean;
  readonly items: readonly Item[];
  readonly trackingNumber: string | null;
  /** Changes exactly when the order changes. */
  readonly seq: number;
}

/** A reservation as returned by `inventory.reservations`. */
export interface ReservationRecord {
  readonly orderId: number;
  readonly status: ReservationStatus;
  readonly items: readonly Item[];
}

/** A shipment as returned by `tracking.shipments`. Without a tracking number it is the tombstone of an early void. */
export interface ShipmentRecord {
  readonly orderId: number;
  /** CREATED, DELIVERED, VOIDED, or a status that the carrier or the shop reported. */
  readonly status: string;
  readonly trackingNumber: string | null;
  /** Milliseconds since it changed, by tracking's clock. A node of an earlier version does not send it. */
  readonly unchangedMs?: number | undefined;
}

/** A product whose reserved quantity is wrong, as returned by `inventory.imbalances`. */
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
