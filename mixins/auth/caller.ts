/** Who asks: known where a request comes in, carried beside the call, read where the action runs. */
import type { Context } from 'moleculer';

/** What a token can say its holder is. */
export const ROLES = ['customer', 'staff', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Caller {
  /** `service` is the engine itself: one of its own processes, at work on its own account. */
  role: Role | 'service';
  /** The token's `sub`, or the name of the node. */
  subject: string;
  /** The customer whose orders and shipments are all the caller may see; null for who may see everyone's. */
  customerId: number | null;
}

/** The engine itself, and everyone where nobody is authenticated. */
export const ENGINE: Caller = Object.freeze({ role: 'service', subject: 'engine', customerId: null });

/** Who called this action. Only code of this process writes `locals`: nothing that crosses the mesh can. */
export function callerOf(ctx: Context<unknown, object>): Caller {
  return (ctx.locals as { caller?: Caller }).caller ?? ENGINE;
}

/** Says who calls, for the actions behind this context. */
export function setCaller(ctx: Context<unknown, object>, caller: Caller): void {
  (ctx.locals as { caller?: Caller }).caller = caller;
}

/** The customer whose rows are all that this call may touch; null when it may touch everyone's. */
export function confinedTo(ctx: Context<unknown, object>): number | null {
  return callerOf(ctx).customerId;
}
