/** Reads of shipments and their timelines. */
import { Op, type Sequelize } from 'sequelize';
import type { TrackingKey } from '../../../machines/shipment/tracking-number.ts';
import { type KeysetRequest, keysetOptions } from '../../../mixins/database/keyset.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { defineShipmentEvent, type ShipmentEventModel, type ShipmentEventRow } from '../models/shipment-event.model.ts';
import { defineShipment, type ShipmentModel, type ShipmentRow } from '../models/shipment.model.ts';

/** A shipment with the entries of its timeline that follow the first, in the order in which they were recorded. */
export interface ShipmentRows {
  shipment: ShipmentRow;
  entries: ShipmentEventRow[];
}

export class ShipmentQueries {
  readonly #shipments: ShipmentModel;
  readonly #entries: ShipmentEventModel;

  constructor(sequelize: Sequelize) {
    this.#shipments = defineShipment(sequelize);
    this.#entries = defineShipmentEvent(sequelize);
  }

  /**
   * The shipment of an order, if its tracking UUID is the given one, and it is the customer's to whom the caller is
   * confined. @throws ServiceUnavailable
   */
  async find({ orderId, uuid }: TrackingKey, confinedTo: number | null): Promise<ShipmentRows | undefined> {
    const own = confinedTo === null ? {} : { customerId: String(confinedTo) };
    const where = { orderId: String(orderId), trackingNumber: uuid, ...own };
    const shipment = (await orUnavailable(this.#shipments.findOne({ where, raw: true }))) as ShipmentRow | null;
    if (!shipment) return undefined;
    // No further than the row knows: an entry recorded between the two reads would disagree with the status.
    const entries = await orUnavailable(
      this.#entries.findAll({
        where: { orderId: String(orderId), seq: { [Op.lte]: shipment.seq } },
        order: ['seq'],
        raw: true,
      }),
    );
    return { shipment, entries: entries as unknown as ShipmentEventRow[] };
  }

  /** The entry that says that the order's parcel was delivered. The caller knows that it was. @throws ServiceUnavailable */
  async delivery(orderId: number): Promise<ShipmentEventRow> {
    const where = { orderId: String(orderId), status: 'DELIVERED' };
    const row = await orUnavailable(this.#entries.findOne({ where, rejectOnEmpty: true, raw: true }));
    return row as unknown as ShipmentEventRow;
  }

  /** The rows of one page of shipments, by order id. @throws ServiceUnavailable */
  async page(request: KeysetRequest): Promise<ShipmentRow[]> {
    const attributes = ['orderId', 'status', 'trackingNumber'];
    const rows = await orUnavailable(
      this.#shipments.findAll({ attributes, ...keysetOptions('orderId', request), raw: true }),
    );
    return rows as unknown as ShipmentRow[];
  }
}
