/** createShipment: how the shipment of an order is made. */
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { createShipmentParams } from '../tracking.params.ts';
import type { CreateShipmentParams, CreateShipmentResult } from '../tracking.types.ts';

/**
 * Makes the shipment of an order, once: a repeat answers the same tracking number.
 * @throws IllegalTransition when the shipment was voided, even before it was made.
 * @throws OrderIdReused when it has another carrier or address.
 */
export const createShipment = defineAction<TrackingOwn, CreateShipmentParams>({
  access: ['staff', 'admin'],
  params: createShipmentParams,
  handler(ctx): Promise<CreateShipmentResult> {
    return this.store.create(ctx.params);
  },
});
