/** What orders, inventory and tracking say of the same order: the records that reconciliation compares. */
import type { StateValueFrom } from 'xstate';
import type { orderMachine } from '../order/order.machine.ts';
import type { Effect, OrderStatus } from '../order/order.words.ts';
import type { ReservationStatus } from '../stock/stock.book.ts';

/** So many of a product. */
export interface Item {
  readonly productId: number;
  readonly quantity: number;
}

/** Where an order is in each region of its chart. */
type Regions = Required<Extract<StateValueFrom<typeof orderMachine>, object>>;

/** An order as `orders.states` answers it. */
export interface OrderRecord {
  readonly orderId: number;
  readonly status: OrderStatus;
  /** The states of the chart's other regions. */
  readonly stock: Regions['stock'];
  readonly shipment: Regions['shipment'];
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
  /** CREATED, DELIVERED or VOIDED, or what a carrier or the shop has called it. */
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
