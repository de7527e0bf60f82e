/** What placing, the actors and recovery ask of a store of orders. PostgreSQL is one; the simulation has another. */
import type { PlacedOrder } from '../orders.types.ts';
import type { Placement } from './insert-orders.ts';
import type { OrderMemory } from './order.row.ts';
import type { OrderChange } from './save-orders.ts';

/** An order that stands where a placement would go. */
export interface Earlier {
  memory: OrderMemory;
  /** The body it was placed with, when it was placed under the same key. */
  fingerprint: string | null;
  /** The answer kept for the key. */
  answer: PlacedOrder | null;
  /** True while some node works on it. */
  running: boolean;
}

/** A row that recovery has leased for this node. */
export interface Claimed {
  memory: OrderMemory;
  /** It is PENDING_CHECK and past its deadline. */
  expired: boolean;
}

/**
 * Every method throws ServiceUnavailable when the store does not answer, which leaves open whether a write was
 * committed, and for an order of a newer machine.
 */
export interface OrderPort {
  /** Writes a new order, leased to this node. Undefined when an earlier one, or its idempotency key, stands against it. */
  insert(placement: Placement): Promise<OrderMemory | undefined>;
  /** Commits a change. Undefined when the row is no longer at the version that was read: nothing was written. */
  save(change: OrderChange): Promise<OrderMemory | undefined>;
  /** The order as last committed. */
  load(id: number): Promise<OrderMemory | undefined>;
  /** What stands against a placement: the order of its key, or the pending one with its body. */
  earlier(placement: Placement): Promise<Earlier | undefined>;
  /** Leases up to `limit` owed rows that are due, longest due first, those of dead nodes among them. */
  claimDue(limit: number): Promise<Claimed[]>;
  /** Leases one order that owes something and that nobody works on, due or parked. */
  claimOne(id: number): Promise<Claimed | undefined>;
}
