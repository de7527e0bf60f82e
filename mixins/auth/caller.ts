/** The caller of an action: identified where the request comes in, carried with the call, read where the action runs. */
import type { Context } from 'moleculer';

/** The roles that a token can grant. */
export const ROLES = ['customer', 'staff', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Caller {
  /** `service` is the engine itself: one of its processes, acting on nobody's behalf. */
  role: Role | 'service';
  /** The token's `sub`, or the name of the node. */
  subject: string;
  /** The only customer whose orders and shipments the caller may see; null: everyone's. */
  customerId: number | null;
}

/** The engine itself; also every caller while authentication is off. */
export const ENGINE: Caller = Object.freeze({ role: 'service', subject: 'engine', customerId: null });

/** Who called this action. Only this process can write `locals`; they never cross the mesh. */
export function callerOf(ctx: Context<unknown, object>): Caller {
  return (ctx.locals as { caller?: Caller }).caller ?? ENGINE;
}

/** Sets the caller of this context and of the calls made from it. */
export function setCaller(ctx: Context<unknown, object>, caller: Caller): void {
  (ctx.locals as { caller?: Caller }).caller = caller;
}

/** The only customer whose rows this call may touch; null: everyone's. */
export function confinedTo(ctx: Context<unknown, object>): number | null {
  return callerOf(ctx).customerId;
}
