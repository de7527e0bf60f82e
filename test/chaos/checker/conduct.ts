/** The promise: processes end when they are ended, and as they must. */
import type { Check } from './promise.ts';

export const conduct: Check = {
  promise: 'no process falls by itself, and each stops as it must',
  *check({ incidents }) {
    for (const what of incidents) yield { what };
  },
};
