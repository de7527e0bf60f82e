/** The port to a store of orders, implemented in PostgreSQL and by the simulation. */
import type { Peer } from '../../../machines/order/order.words.ts';
import type { Decision, Order } from '../../../machines/order/order.ts';
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Change, Memory } from '../../../mixins/actor/actor.ts';
import type { PlacedOrder } from '../orders.types.ts';

/** An order as the engine holds it in memory. */
export type OrderMemory = Memory<Order>;

/** A new order to write. */
export interface Placement {
  readonly decision: Decision;
  /** The key space of its idempotency key. */
  readonly caller: string;
  readonly key: string | null;
  /** A 128-bit hash of the body. */
  readonly fingerprint: string;
}

/** A change of an order, with everything that its commit writes. */
export interface OrderChange extends Change<Order, Decision> {
  /** The answer to keep for the order's idempotency key; null unless this change confirms the order. */
  readonly answer: PlacedOrder | null;
  /** The events to publish. */
  readonly events: readonly DomainEvent[];
}

/** A new order, or a change of one. */
export type OrderWrite = Placement | OrderChange;

export const isPlacement = (write: OrderWrite): write is Placement => 'fingerprint' in write;

/**
 * The result of a write: the order as written; undefined after a conflict (for a placement, an earlier order or key; for
 * a change, a newer version).
 */
export type Written = OrderMemory | undefined;

/** How a node leases the orders it works on. Durations are in milliseconds. */
export interface LeaseTerms {
  readonly node: string;
  readonly leaseMs: number;
  /** How long an order may stay PENDING_CHECK. */
  readonly ttlMs: number;
}

/** The order that a placement conflicts with. */
export interface Earlier {
  memory: OrderMemory;
  /** The fingerprint of its body, if it was placed with the same key. */
  fingerprint: string | null;
  /** The answer kept for the key. */
  answer: PlacedOrder | null;
  /** True while a node works on it. */
  running: boolean;
}

/** An order leased to this node. */
export interface Claimed {
  memory: OrderMemory;
  /** True past its deadline, which matters only if the order can still expire. */
  overdue: boolean;
}

/**
 * Every method throws ServiceUnavailable when the store does not respond (a write may then have been committed), and for
 * an order of a newer machine version.
 */
export interface OrderPort {
  /** Writes a new order, leased to this node. Undefined when it conflicts with an earlier order or idempotency key. */
  insert(placement: Placement): Promise<Written>;
  /** Commits a change. Undefined, with nothing written, when the row is no longer at the version that was read. */
  save(change: OrderChange): Promise<Written>;
  /** The order as last committed. */
  load(id: number): Promise<OrderMemory | undefined>;
  /** The order that a placement conflicts with: the one of its key, or the pending one with the same body. */
  earlier(placement: Placement): Promise<Earlier | undefined>;
  /**
   * Leases up to `limit` due rows, longest due first, including those of dead nodes. Rows that owe work only to peers that
   * are `away` are left to nodes that can reach them, unless they are pending and overdue.
   */
  claimDue(limit: number, away?: readonly Peer[]): Promise<Claimed[]>;
  /** Leases an order that owes work, due or parked, unless a node works on it. */
  claimOne(id: number): Promise<Claimed | undefined>;
}
