/** The promise: the deployment's own comparison of its books finds nothing either. */
import type { Check } from './promise.ts';

export const reconciliation: Check = {
  promise: 'GET /reports/reconciliation is empty at rest',
  *check(books) {
    for (const entry of books.reconciliation ?? []) {
      const { orderId } = entry as { orderId?: number };
      yield { what: JSON.stringify(entry), ...(orderId === undefined ? {} : { orderId }) };
    }
  },
};
