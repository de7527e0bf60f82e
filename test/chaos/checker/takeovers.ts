/** The promise: the orders of a node that fell silent go on elsewhere in time. Those whose takeover was itself struck do not count. */
import { percentile } from '../takeover.ts';
import type { Check } from './promise.ts';

/** Within this time another node takes over the orders of one that fell silent, in 99 of 100 cases. */
const WITHIN_MS = 10_000;

export const takeovers: Check = {
  promise: 'orders of a node that fell silent go on elsewhere within 10 s (p99)',
  *check(books) {
    const all = books.takeovers ?? [];
    for (const { orderId, node, to } of all)
      if (to === undefined) yield { orderId, what: `nobody went on with it after ${node} fell silent` };
    const times = all.flatMap(({ from, to }) => (to === undefined ? [] : [to - from]));
    if (times.length > 0 && percentile(times, 0.99) > WITHIN_MS)
      yield { what: `p99 of ${times.length} takeovers is ${Math.round(percentile(times, 0.99))} ms` };
  },
};
