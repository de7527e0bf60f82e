/** Inventory and tracking in memory: the machines of the real services, around tables that are maps. */
import { Failure } from '../../machines/shared/failure.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import { createOutcome, type MadeShipment, newShipment } from '../../machines/shipment/shipment.create.ts';
import { type ChangeOutcome, decideChanges } from '../../machines/shipment/shipment.decide.ts';
import { eventOfStatus, SHIPMENT_MACHINE_VERSION } from '../../machines/shipment/shipment.machine.ts';
import type { Shipment, ShipmentChange, ShipmentRequest } from '../../machines/shipment/shipment.ts';
import { TRACKING_RANDOM_BYTES } from '../../machines/shipment/tracking-number.ts';
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

/** A shipment as the table would have it. */
export interface SimShipment extends Shipment {
  readonly deliveryAddress: string | null;
}

export class SimTracking {
  readonly shipments = new Map<number, SimShipment>();
  readonly #chance: Random;

  constructor(chance: Random) {
    this.#chance = chance;
  }

  createShipment(request: ShipmentRequest, at: number): MadeShipment {
    const asked = newShipment(request, this.#chance.bytes(TRACKING_RANDOM_BYTES), at);
    const known = this.shipments.get(asked.orderId);
    if (!known) this.shipments.set(asked.orderId, asked);
    const outcome = createOutcome(asked, known ?? asked);
    if (outcome instanceof Failure) throw outcome;
    return outcome;
  }

  void({ orderId }: { orderId: number }): object {
    if (!this.shipments.has(orderId)) this.shipments.set(orderId, tombstoneOf(orderId));
    const { kind } = this.#change({ orderId, event: 'VOID', status: 'VOIDED', location: null, id: `void-${orderId}` });
    return kind === 'refused' ? { success: false, message: 'It is delivered' } : { success: true, message: '' };
  }

  /** A carrier reports. True when that is news. */
  report(orderId: number, status: string): boolean {
    const event = eventOfStatus(status);
    return this.#change({ orderId, event, status, location: null, id: `${status}-${orderId}` }).kind === 'recorded';
  }

  /** One change, in a transaction of its own. */
  #change(change: ShipmentChange): ChangeOutcome {
    const book = { shipments: this.shipments, recorded: new Set<string>() };
    const { outcomes, moved } = decideChanges(book, [change], new Date(0).toISOString());
    for (const shipment of moved) {
      const { deliveryAddress } = this.shipments.get(shipment.orderId) as SimShipment;
      this.shipments.set(shipment.orderId, { ...shipment, deliveryAddress });
    }
    return outcomes[0] as ChangeOutcome;
  }
}

/** A void that comes before its shipment. */
function tombstoneOf(orderId: number): SimShipment {
  return {
    orderId,
    parcel: null,
    status: 'VOIDED',
    machineVersion: SHIPMENT_MACHINE_VERSION,
    seq: 0,
    deliveryAddress: null,
  };
}
