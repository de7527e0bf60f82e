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

/** A shipment with the timeline entries after the first, in the order of recording. */
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
   * The shipment of an order, if it has the given tracking UUID and belongs to the customer that the caller is confined
   * to. @throws ServiceUnavailable
   */
  find({ orderId, uuid }: TrackingKey, confinedTo: number | null): Promise<ShipmentRows | undefined> {
    return this.#read({ orderId, trackingNumber: uuid }, confinedTo);
  }

  /**
   * The shipment of an order, unless it was voided before it was created or belongs to another customer than the one the
   * caller is confined to. @throws ServiceUnavailable
   */
  ofOrder(orderId: number, confinedTo: number | null): Promise<ShipmentRows | undefined> {
    return this.#read({ orderId, trackingNumber: { [Op.ne]: null } }, confinedTo);
  }

  async #read(
    wanted: { orderId: number; trackingNumber: unknown },
    confinedTo: number | null,
  ): Promise<ShipmentRows | undefined> {
    const { orderId } = wanted;
    const query = { ...wanted, ...(confinedTo !== null && { customerId: confinedTo }) };
    const [shipment] = await this.#shipments.find({ query, limit: 1 });
    if (!shipment) return undefined;
    // Entries recorded between the two reads are left out, because they would not match the status.
    const where = { orderId, seq: { [Op.lte]: shipment.seq } };
    const entries = await orUnavailable(this.#entries.findAll({ where, order: ['seq'], raw: true }));
    return { shipment, entries: entries as unknown as ShipmentEventColumns[] };
  }

  /** The DELIVERED entry of an order's shipment, which must exist. @throws ServiceUnavailable */
  async delivery(orderId: number): Promise<ShipmentEventColumns> {
    const where = { orderId, status: 'DELIVERED' };
    const row = await orUnavailable(this.#entries.findOne({ where, rejectOnEmpty: true, raw: true }));
    return row as unknown as ShipmentEventColumns;
  }

  /** One page of shipments, by order id. @throws ServiceUnavailable */
  page(request: KeysetRequest): Promise<ShipmentColumns[]> {
    return this.#shipments.find(keysetFilter('orderId', request));
  }
}
