/** The public view of shipments and their timelines. */
import type { ShipmentRecord } from '../../machines/reconciliation/books.ts';
import { trackingNumberOf } from '../../machines/shipment/tracking-number.ts';
import type { ShipmentEventColumns } from './models/shipment-event.model.ts';
import type { ShipmentColumns } from './models/shipment.model.ts';
import type { ShipmentResult, TimelineEntry } from './tracking.types.ts';

/** A shipment that is not a tombstone, with the timeline entries after the first. */
export function shipmentOf(row: ShipmentColumns, entries: readonly ShipmentEventColumns[]): ShipmentResult {
  return {
    trackingNumber: trackingNumberOf(row.trackingNumber as string),
    orderId: row.orderId,
    carrier: row.carrier as string,
    status: row.status,
    estimatedDelivery: (row.estimatedDelivery as Date).toISOString(),
    events: [
      { status: 'CREATED', timestamp: row.createdAt.toISOString(), location: null, details: null },
      ...entries.map(entryOf),
    ],
  };
}

/** A timeline entry. The named fields come last, so that a free field can never replace one. */
export function entryOf({ extra, status, at, location, details }: ShipmentEventColumns): TimelineEntry {
  return { ...extra, status, timestamp: at.toISOString(), location, details };
}

/** The view of a shipment for reconciliation. */
export function recordOf(
  { orderId, status, trackingNumber, updatedAt }: ShipmentColumns,
  nowMs: number,
): ShipmentRecord {
  return {
    orderId,
    status,
    trackingNumber: trackingNumber === null ? null : trackingNumberOf(trackingNumber),
    unchangedMs: nowMs - updatedAt.getTime(),
  };
}
