/** Reads of tracking: a shipment and its timeline as peers see them. */
import { Op } from 'sequelize';
import { trackingNumberOf } from './tracking-number.ts';
import type { ShipmentEventRow, ShipmentRow, TrackingModels } from './models/tracking.models.ts';
import type { ShipmentResult, TimelineEntry } from './tracking.types.ts';

/** The shipment of an order, if its tracking UUID is the given one, and it is the customer's to whom the caller is confined. */
export async function findShipment(
  models: TrackingModels,
  orderId: number,
  uuid: string,
  confinedTo: number | null,
): Promise<ShipmentResult | undefined> {
  const own = confinedTo === null ? {} : { customerId: String(confinedTo) };
  const where = { orderId: String(orderId), trackingNumber: uuid, ...own };
  const row = (await models.Shipment.findOne({ where, raw: true })) as ShipmentRow | null;
  if (!row) return undefined;
  // No further than the row knows: an entry recorded between the two reads would disagree with the status.
  const events = (await models.ShipmentEvent.findAll({
    where: { orderId: String(orderId), seq: { [Op.lte]: row.seq } },
    order: ['seq'],
    raw: true,
  })) as unknown as ShipmentEventRow[];
  return {
    trackingNumber: trackingNumberOf(uuid),
    orderId,
    carrier: row.carrier as string,
    status: row.status,
    estimatedDelivery: (row.estimatedDelivery as Date).toISOString(),
    events: [
      { status: 'CREATED', timestamp: row.createdAt.toISOString(), location: null, details: null },
      ...events.map(entryOf),
    ],
  };
}

/** The entry that says that the order's parcel was delivered. The caller knows that it was. */
export async function deliveredEntry(models: TrackingModels, orderId: number): Promise<TimelineEntry> {
  const row = (await models.ShipmentEvent.findOne({
    where: { orderId: String(orderId), status: 'DELIVERED' },
    rejectOnEmpty: true,
    raw: true,
  })) as unknown as ShipmentEventRow;
  return entryOf(row);
}

// The named fields come last: a free field can never stand in for one.
function entryOf(row: ShipmentEventRow): TimelineEntry {
  const { status, at, location, details } = row;
  return { ...row.extra, status, timestamp: at.toISOString(), location, details };
}
