/** list: the shipment of an order, found without its tracking number. */
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { listShipmentsParams } from '../tracking.params.ts';
import type { ListShipmentsParams, ShipmentResult } from '../tracking.types.ts';
import { shipmentOf } from '../tracking.view.ts';

/** The shipments of an order with their timelines: one, or none while it is not created or when it is another customer's. */
export const list = defineAction<TrackingOwn, ListShipmentsParams>({
  access: ['customer', 'staff', 'admin'],
  repeatable: true,
  params: listShipmentsParams,
  async handler(ctx): Promise<ShipmentResult[]> {
    const found = await this.queries.ofOrder(ctx.params.orderId, confinedTo(ctx));
    return found ? [shipmentOf(found.shipment, found.entries)] : [];
  },
});
