/** void: voids the shipment of a cancelled order. */
import { randomUUID } from 'node:crypto';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import type { TrackingOwn } from '../tracking.context.ts';
import { voidShipmentParams } from '../tracking.params.ts';
import type { VoidShipmentParams, VoidShipmentResult } from '../tracking.types.ts';

/**
 * Voids the shipment of an order, whether it exists or not: it can no longer be created. Repeats succeed. Returns
 * `success: false` when the parcel is already delivered.
 */
export const voidShipment = defineAction<TrackingOwn, VoidShipmentParams>({
  access: ['staff', 'admin'],
  repeatable: true,
  params: voidShipmentParams,
  async handler(ctx): Promise<VoidShipmentResult> {
    const { orderId } = ctx.params;
    const outcome = await this.store.change({
      orderId,
      event: 'VOID',
      status: 'VOIDED',
      location: null,
      details: null,
      extra: null,
      happenedAt: new Date().toISOString(),
      id: randomUUID(),
    });
    return outcome.kind === 'refused'
      ? { success: false, message: `The shipment of order ${orderId} is already delivered and cannot be voided` }
      : { success: true, message: `The shipment of order ${orderId} is voided` };
  },
});
