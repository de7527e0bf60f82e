/** Expiry: an order that is past its deadline and still PENDING_CHECK is cancelled, by whichever node finds it. */
import type { Order, OrderEvent } from '../../../machines/order/order.ts';
import type { Claimed } from '../store/order.port.ts';

/** Whether a deadline still counts for an order: the chart says in which states one can expire. */
export const canExpire = (order: Order): boolean => order.state.allows.includes('EXPIRE');

/** Whether a claimed order has expired. Its deadline is measured by the store's clock, which all nodes share. */
export const hasExpired = ({ memory, overdue }: Claimed): boolean => overdue && canExpire(memory.state);

/** What an expired order is told: it was pending for longer than `ttlMs` milliseconds. */
export const expiry = (ttlMs: number): OrderEvent => ({
  type: 'EXPIRE',
  reason: `It stayed PENDING_CHECK for longer than ${ttlMs / 1_000} s`,
});
