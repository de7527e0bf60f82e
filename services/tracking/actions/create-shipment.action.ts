/** createShipment: creates the shipment of an order. */
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { createShipmentParams } from '../tracking.params.ts';
import type { CreateShipmentParams, CreateShipmentResult } from '../tracking.types.ts';

/**
 * Creates the shipment of an order, once: a repeat returns the same tracking number.
 * @throws IllegalTransition when the shipment was voided, even before it was created
 * @throws OrderIdReused when the order has a shipment with a different carrier or address
 */
export const createShipment = defineAction<TrackingOwn, CreateShipmentParams>({
  access: ['staff', 'admin'],
  repeatable: true,
  params: createShipmentParams,
  handler(ctx): Promise<CreateShipmentResult> {
    return this.store.create(ctx.params);
  },
});
