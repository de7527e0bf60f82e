/** addEvent: records a carrier's report. */
import { randomUUID } from 'node:crypto';
import { eventOfStatus } from '../../../machines/shipment/shipment.machine.ts';
import { trackingNumberOf } from '../../../machines/shipment/tracking-number.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { addEventParams, freeFieldsOf } from '../tracking.params.ts';
import type { AddEventParams, AddEventResult } from '../tracking.types.ts';
import { entryOf } from '../tracking.view.ts';
import { noSuchShipment, trackingKeyOf } from './tracking-key.ts';

/**
 * Records a carrier's report, including its free fields. DELIVERED is recorded once: a repeat returns the first entry.
 * @throws NotFound for an unknown tracking number
 * @throws IllegalTransition for a shipment that is delivered or voided, or whose timeline is full
 */
export const addEvent = defineAction<TrackingOwn, AddEventParams>({
  access: ['staff', 'admin'],
  params: addEventParams,
  async handler(ctx): Promise<AddEventResult> {
    const { trackingNumber, location = null, details = null, timestamp } = ctx.params;
    const key = trackingKeyOf(trackingNumber);
    const shipment = { trackingNumber: trackingNumberOf(key.uuid), orderId: key.orderId };
    const status = ctx.params.status.toUpperCase();
    const free = freeFieldsOf(ctx.params);
    const happenedAt = (timestamp ? new Date(timestamp) : new Date()).toISOString();
    const outcome = await this.store.change({
      ...key,
      event: eventOfStatus(status),
      status,
      location,
      details: details === null ? null : JSON.stringify(details),
      extra: Object.keys(free).length === 0 ? null : JSON.stringify(free),
      happenedAt,
      id: randomUUID(),
    });
    switch (outcome.kind) {
      case 'absent':
        throw noSuchShipment(trackingNumber);
      case 'refused':
        throw outcome.error;
      case 'repeated':
        return { ...entryOf(await this.queries.delivery(key.orderId)), ...shipment };
      case 'recorded':
        return { ...free, ...shipment, status, timestamp: happenedAt, location, details };
    }
  },
});
