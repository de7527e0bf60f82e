/** What placing, the actors and recovery ask of a store of orders. PostgreSQL is one; the simulation has another. */
import type { Peer } from '../../../machines/order/order.words.ts';
import type { Decision, Order } from '../../../machines/order/order.ts';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Change, Memory } from '../../../mixins/actor/actor.ts';
import type { PlacedOrder } from '../orders.types.ts';

/** An order as the engine holds it in memory. */
export type OrderMemory = Memory<Order>;

/** A new order on its way to the store. */
export interface Placement {
  readonly decision: Decision;
  /** Who placed it: idempotency keys are per caller. */
  readonly caller: string;
  readonly key: string | null;
  /** The body, as 128 bits. */
  readonly fingerprint: string;
}

/** A change of an order, with everything that its commit writes. */
export interface OrderChange extends Change<Order, Decision> {
  /** The answer to keep for the order's idempotency key; null when this change does not make it. */
  readonly answer: PlacedOrder | null;
  /** The events that go out with it. */
  readonly events: readonly DomainEvent[];
}

/** A new order, or a change of one. */
export type OrderWrite = Placement | OrderChange;

export const isPlacement = (write: OrderWrite): write is Placement => 'fingerprint' in write;

/**
 * What became of a write: the order as it was written; undefined when something stood against it, an earlier order
 * or key for a placement, a newer version for a change.
 */
export type Written = OrderMemory | undefined;

/** The terms on which a node holds the orders it works on. Milliseconds. */
export interface LeaseTerms {
  readonly node: string;
  readonly leaseMs: number;
  /** How long an order may stay PENDING_CHECK. */
  readonly ttlMs: number;
}

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

/** An order that was leased to this node. */
export interface Claimed {
  memory: OrderMemory;
  /** It is past its deadline, which counts for an order that can still expire. */
  overdue: boolean;
}

/**
 * Every method throws ServiceUnavailable when the store does not answer, which leaves open whether a write was
 * committed, and for an order of a newer machine.
 */
export interface OrderPort {
  /** Writes a new order, leased to this node. Undefined when an earlier one, or its idempotency key, stands against it. */
  insert(placement: Placement): Promise<Written>;
  /** Commits a change. Undefined when the row is no longer at the version that was read: nothing was written. */
  save(change: OrderChange): Promise<Written>;
  /** The order as last committed. */
  load(id: number): Promise<OrderMemory | undefined>;
  /** What stands against a placement: the order of its key, or the pending one with its body. */
  earlier(placement: Placement): Promise<Earlier | undefined>;
  /**
   * Leases up to `limit` owed rows that are due, longest due first, those of dead nodes among them. Rows that owe nothing
   * but to peers that are `away` are left to nodes that reach them, unless they are pending and overdue.
   */
  claimDue(limit: number, away?: readonly Peer[]): Promise<Claimed[]>;
  /** Leases one order that owes something and that nobody works on, due or parked. */
  claimOne(id: number): Promise<Claimed | undefined>;
}
