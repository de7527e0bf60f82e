/** get: reads a shipment and its timeline. */
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { getShipmentParams } from '../tracking.params.ts';
import type { GetShipmentParams, ShipmentResult } from '../tracking.types.ts';
import { shipmentOf } from '../tracking.view.ts';
import { noSuchShipment, trackingKeyOf } from './tracking-key.ts';

/** A shipment with its whole timeline. @throws NotFound for an unknown number or another customer's shipment */
export const get = defineAction<TrackingOwn, GetShipmentParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: getShipmentParams,
  async handler(ctx): Promise<ShipmentResult> {
    const { trackingNumber } = ctx.params;
    const found = await this.queries.find(trackingKeyOf(trackingNumber), confinedTo(ctx));
    if (!found) throw noSuchShipment(trackingNumber);
    return shipmentOf(found.shipment, found.entries);
  },
});
