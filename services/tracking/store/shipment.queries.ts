/** Reads of shipments and their timelines. */
import { Op } from 'sequelize';
import type { TrackingKey } from '../../../machines/shipment/tracking-number.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { type KeysetRequest, keysetFilter } from '../../../mixins/database/keyset.ts';
import type { TableModel } from '../../../mixins/database/model.ts';
import type { ReadAdapter } from '../../../mixins/database/read-model.mixin.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { type ShipmentEventColumns, ShipmentEventModel } from '../models/shipment-event.model.ts';
import type { ShipmentColumns } from '../models/shipment.model.ts';

/** A shipment with the entries of its timeline that follow the first, in the order in which they were recorded. */
export interface ShipmentRows {
  shipment: ShipmentColumns;
  entries: ShipmentEventColumns[];
}

export class ShipmentQueries {
  readonly #shipments: ReadAdapter<ShipmentColumns>;
  readonly #entries: TableModel<typeof ShipmentEventModel>;

  constructor(shipments: ReadAdapter<ShipmentColumns>, database: Database) {
    this.#shipments = shipments;
    this.#entries = database.model(ShipmentEventModel);
  }

  /**
   * The shipment of an order, if its tracking UUID is the given one, and it is the customer's to whom the caller is
   * confined. @throws ServiceUnavailable
   */
  async find({ orderId, uuid }: TrackingKey, confinedTo: number | null): Promise<ShipmentRows | undefined> {
    const own = confinedTo === null ? {} : { customerId: confinedTo };
    const query = { orderId, trackingNumber: uuid, ...own };
    const [shipment] = await this.#shipments.find({ query, limit: 1 });
    if (!shipment) return undefined;
    // No further than the row knows: an entry recorded between the two reads would disagree with the status.
    const where = { orderId, seq: { [Op.lte]: shipment.seq } };
    const entries = await orUnavailable(this.#entries.findAll({ where, order: ['seq'], raw: true }));
    return { shipment, entries: entries as unknown as ShipmentEventColumns[] };
  }

  /** The entry that says that the order's parcel was delivered. The caller knows that it was. @throws ServiceUnavailable */
  async delivery(orderId: number): Promise<ShipmentEventColumns> {
    const where = { orderId, status: 'DELIVERED' };
    const row = await orUnavailable(this.#entries.findOne({ where, rejectOnEmpty: true, raw: true }));
    return row as unknown as ShipmentEventColumns;
  }

  /** The rows of one page of shipments, by order id. @throws ServiceUnavailable */
  page(request: KeysetRequest): Promise<ShipmentColumns[]> {
    return this.#shipments.find(keysetFilter('orderId', request));
  }
}
