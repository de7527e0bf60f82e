/** Names the caller of an action for the history of an order. */
import type { Context } from 'moleculer';
import type { Actor } from '../../../machines/order/order.ts';
import type { Caller } from '../../../mixins/auth/caller.ts';

const ANONYMOUS: Actor = Object.freeze({ role: 'anonymous' });

/** The caller by its token; the engine by the node that called; anonymous while there is no authentication. */
export function actorOf(ctx: Context<unknown, object>): Actor {
  const { caller } = ctx.locals as { caller?: Caller };
  if (caller === undefined) return ANONYMOUS;
  if (caller.role === 'service') return { role: 'engine', subject: ctx.nodeID ?? caller.subject };
  return { role: caller.role, subject: caller.subject };
}
