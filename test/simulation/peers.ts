/** Inventory and tracking in memory: the machines of the real services, around tables that are maps. */
import { estimateDelivery } from '../../machines/shipment/delivery-estimate.ts';
import { IllegalTransition, OrderIdReused, Failure } from '../../machines/shared/failure.ts';
import { uuidOf } from '../../machines/shared/ids.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import {
  eventOfStatus,
  isShipmentRepeat,
  shipmentStateOf,
  shipmentStep,
} from '../../machines/shipment/shipment.machine.ts';
import { admit } from '../../machines/stock/stock.admission.ts';
import {
  type OrderOutcome,
  type OrderOperation,
  orderLines,
  type Reservation,
  type StockLevel,
} from '../../machines/stock/stock.book.ts';
import type { Random } from '../support/random.ts';

export interface StockParams {
  orderId: number;
  items: { productId: number; quantity: number }[];
}

export class SimInventory {
  readonly products = new Map<number, StockLevel>();
  readonly reservations = new Map<number, Reservation>();
  /** What every product had at the beginning. */
  readonly initial: ReadonlyMap<number, number>;
  readonly #forgetsReleases: boolean;

  constructor(stock: ReadonlyMap<number, number>, { forgetsReleases = false } = {}) {
    this.initial = stock;
    this.#forgetsReleases = forgetsReleases;
    for (const [productId, quantity] of stock) {
      this.products.set(productId, { productId, price: BigInt(productId * 250), quantity, reserved: 0 });
    }
  }

  /** One operation, in a transaction of its own. */
  order(kind: OrderOperation['kind'], { orderId, items }: StockParams): object {
    // The planted bug: a release that finds nothing leaves nothing.
    if (this.#forgetsReleases && kind === 'release' && !this.reservations.has(orderId)) {
      return { success: true, message: 'nothing to release', unavailableProducts: [] };
    }
    const admission = admit(this, [{ kind, orderId, lines: orderLines(items) }]);
    for (const level of admission.products) this.products.set(level.productId, level);
    for (const reservation of [...admission.created, ...admission.moved]) {
      this.reservations.set(reservation.orderId, reservation);
    }
    const [answer] = admission.answers as [OrderOutcome | Failure];
    if (answer instanceof Failure) throw answer;
    const { success, message, unavailableProducts, held } = answer;
    const priced = held?.productIds.map((productId, i) => ({
      productId,
      quantity: held.quantities[i],
      price: moneyToNumber(held.prices[i] as bigint),
    }));
    return { success, message, unavailableProducts: [...unavailableProducts], ...(priced && { items: priced }) };
  }
}

export interface SimShipment {
  /** Null for a void that came before its shipment. */
  trackingNumber: string | null;
  carrier: string | null;
  deliveryAddress: string | null;
  status: string;
  estimatedDelivery: string;
}

export interface ShipmentParams {
  orderId: number;
  deliveryAddress: string;
  carrier: string;
}

export class SimTracking {
  readonly shipments = new Map<number, SimShipment>();
  readonly #chance: Random;

  constructor(chance: Random) {
    this.#chance = chance;
  }

  createShipment({ orderId, deliveryAddress, carrier }: ShipmentParams, at: number): object {
    let shipment = this.shipments.get(orderId);
    if (!shipment) {
      const trackingNumber = `TRK-${uuidOf(orderId, this.#chance.bytes(8))}`;
      const estimatedDelivery = new Date(estimateDelivery(carrier, at)).toISOString();
      shipment = { trackingNumber, carrier, deliveryAddress, status: 'CREATED', estimatedDelivery };
      this.shipments.set(orderId, shipment);
    }
    if (shipment.status === 'VOIDED' || shipment.trackingNumber === null) {
      throw new IllegalTransition('The shipment was voided', { orderId, status: 'VOIDED' });
    }
    if (shipment.carrier !== carrier || shipment.deliveryAddress !== deliveryAddress) {
      throw new OrderIdReused('There is a shipment with another carrier or address', { orderId });
    }
    return { trackingNumber: shipment.trackingNumber, estimatedDelivery: shipment.estimatedDelivery };
  }

  void({ orderId }: { orderId: number }): object {
    const shipment = this.shipments.get(orderId);
    if (!shipment) {
      const tombstone = { trackingNumber: null, carrier: null, deliveryAddress: null, estimatedDelivery: '' };
      this.shipments.set(orderId, { ...tombstone, status: 'VOIDED' });
      return { success: true, message: '' };
    }
    const state = shipmentStateOf(shipment.status, 1);
    if (!isShipmentRepeat(state, 'VOID')) {
      if (!shipmentStep(state, 'VOID')) return { success: false, message: 'It is delivered' };
      shipment.status = 'VOIDED';
    }
    return { success: true, message: '' };
  }

  /** A carrier reports. True when that is news. */
  report(orderId: number, status: string): boolean {
    const shipment = this.shipments.get(orderId);
    if (!shipment) return false;
    if (!shipmentStep(shipmentStateOf(shipment.status, 1), eventOfStatus(status))) return false;
    shipment.status = status;
    return true;
  }
}
