/** The promise: every history is a path of the chart without gaps, and ends where the order is. */
import { walk } from './chart-walk.ts';
import type { Check } from './promise.ts';

export const histories: Check = {
  promise: 'every history is a path of the machine without gaps, and ends where the order is',
  *check({ orders }) {
    for (const { orderId, view, history } of orders.values()) {
      if (!view) continue;
      const { problem, state } = walk(orderId, history);
      if (problem) yield { orderId, what: `its history: ${problem}` };
      else if (state.status !== view.status)
        yield { orderId, what: `its history ends in ${state.status}, and it is ${view.status}` };
    }
  },
};
