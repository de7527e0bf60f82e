/** The promise: nothing is owed any more for any order. */
import { walk } from './chart-walk.ts';
import type { Check } from './promise.ts';

export const atRest: Check = {
  promise: 'every order comes to rest by itself',
  *check({ orders }) {
    for (const { orderId, view, history, explain, unread } of orders.values()) {
      if (unread !== undefined) yield { orderId, what: `it cannot be read: ${unread}` };
      if (!view) continue;
      if (view.status === 'PENDING_CHECK' || explain?.waitingFor != null)
        yield {
          orderId,
          what: `it is ${view.status}, waits for ${explain?.waitingFor} (attempt ${explain?.attempt}, next at ${explain?.nextAttemptAt}): ${explain?.lastError}`,
        };
      else {
        const { problem, state } = walk(orderId, history);
        if (!problem && state.owed.length > 0)
          yield { orderId, what: `its history leaves ${state.owed.map((owed) => owed.effect).join(' and ')} owed` };
      }
    }
  },
};
