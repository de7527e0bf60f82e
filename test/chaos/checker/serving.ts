/** The promise that faults leave no node behind that runs and serves nobody. */
import type { Check } from './promise.ts';

export const serving: Check = {
  promise: 'every node serves again by itself',
  *check({ deaf }) {
    for (const what of deaf) yield { what };
  },
};
