/** The promise that after the faults no node is running without serving. */
import type { Check } from './promise.ts';

export const serving: Check = {
  promise: 'every node serves again by itself',
  *check({ deaf }) {
    for (const what of deaf) yield { what };
  },
};
