/** Expiry: any node that finds an order past its deadline and still PENDING_CHECK cancels it. */
import type { Order, OrderEvent } from '../../../machines/order/order.ts';
import type { Claimed } from '../store/order.port.ts';

/** Whether an order can still expire; the chart decides in which states. */
export const canExpire = (order: Order): boolean => order.state.allows.includes('EXPIRE');

/** Whether a claimed order has expired, by the store's clock, which all nodes share. */
export const hasExpired = ({ memory, overdue }: Claimed): boolean => overdue && canExpire(memory.state);

/** The event that cancels an order pending for longer than `ttlMs` milliseconds. */
export const expiry = (ttlMs: number): OrderEvent => ({
  type: 'EXPIRE',
  reason: `The order stayed PENDING_CHECK for longer than ${ttlMs / 1_000} s`,
});
