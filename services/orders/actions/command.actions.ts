/** cancel, ship, deliver: the commands on an order. */
import type { ActionParams } from 'moleculer';
import type { AccessRule } from '../../../mixins/auth/access.ts';
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { PreconditionFailed } from '../../../machines/order/order.failures.ts';
import type { Order } from '../../../machines/order/order.ts';
import { actorOf } from './actor-of.ts';
import { findOrder, referenceOf } from './find-order.ts';
import { etagOf, viewOf } from '../orders.view.ts';
import { cancelOrder, orderCommand } from '../orders.params.ts';
import type { OrdersOwn } from '../orders.context.ts';
import type { CancelParams, OrderView } from '../orders.types.ts';

/**
 * An action that applies a command to an order. Resolves with the order once the change is durable; the effects at the
 * peers follow asynchronously, exactly once. Repeating a command that is done succeeds.
 * @throws NotFound, IllegalTransition (it names the state and the allowed events), PreconditionFailed
 */
const command = (type: 'CANCEL' | 'SHIP' | 'DELIVER', access: AccessRule, params: ActionParams = orderCommand) =>
  defineAction<OrdersOwn, CancelParams>({
    access,
    // After the first time, the ETag is another one.
    repeatable: { withoutParam: 'ifMatch' },
    params,
    async handler(ctx): Promise<OrderView> {
      const { id, ifMatch, reason } = ctx.params;
      const reference = referenceOf(id);
      const confined = confinedTo(ctx);
      // Checks what the id alone cannot prove: the UUID and the owner. Neither ever changes.
      if (reference.uuid !== undefined || confined !== null) await findOrder(this.store, id, confined);
      const guard = ifMatch && ((order: Order) => demandMatch(order, ifMatch));
      const after = await this.host.tell(reference.id, {
        event: { type, reason: reason ?? undefined, by: actorOf(ctx) },
        guard,
      });
      return viewOf((after ?? (await findOrder(this.store, id, confined))).state);
    },
  });

export const cancel = command('CANCEL', ['customer', 'staff', 'admin'], cancelOrder);
export const ship = command('SHIP', ['staff', 'admin']);
export const deliver = command('DELIVER', ['staff', 'admin']);

function demandMatch(order: Order, ifMatch: readonly string[]): void {
  if (ifMatch.includes('*') || ifMatch.includes(etagOf(order))) return;
  throw new PreconditionFailed('The order has changed since you read it. Read it again and retry with its new ETag', {
    orderId: order.id,
    status: order.state.status,
  });
}
