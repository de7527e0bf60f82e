/** The promise: at most one order a key, and never more orders than requests. */
import type { Check } from './promise.ts';

export const oneOrderAKey: Check = {
  promise: 'at most one order an idempotency key, and none that nobody asked for',
  *check({ log, orders }) {
    const asked = new Map<number, { key: string | null; requests: number; named: Set<number> }>();
    for (const { operation, submission, outcome, body } of log.entries) {
      if (operation !== 'place' || !submission) continue;
      const { customerId, key } = submission;
      const one = asked.get(customerId) ?? { key, requests: 0, named: new Set() };
      if (outcome !== 'unsent') one.requests += 1;
      if (body?.orderId !== undefined) one.named.add(body.orderId);
      asked.set(customerId, one);
    }
    const made = new Map<number, number[]>();
    for (const { orderId, view } of orders.values()) {
      if (view) made.set(view.customerId, [...(made.get(view.customerId) ?? []), orderId]);
    }
    for (const [customerId, ids] of made) {
      const { key, requests } = asked.get(customerId) ?? { key: null, requests: 0 };
      if (ids.length > (key === null ? requests : 1))
        yield {
          orderId: ids[0],
          what: `customer ${customerId} has the orders ${ids.join(', ')} after ${requests} requests ${key ? `with the key ${key}` : 'without a key'}`,
        };
    }
    for (const { key, named } of asked.values()) {
      if (key !== null && named.size > 1) yield { what: `the key ${key} was answered with ${[...named].join(', ')}` };
    }
  },
};
