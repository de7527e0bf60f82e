/** reconciliation: what orders, inventory and tracking say differently. */
import { ENGINE, setCaller } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { MAX_DISAGREEMENTS, reconciliationParams } from '../reports.params.ts';
import type { Disagreement, ReconciliationParams } from '../reports.types.ts';
import { booksOver } from '../store/books.ts';
import { reconcile } from './reconcile.ts';

/** How long all pages of all books may take together. */
const TIMEOUT_MS = 60_000;

/**
 * Compares every reservation and shipment with its order, and answers what disagrees: nothing when all is well. What an
 * order still owes is no disagreement. At most `limit` entries (1,000 by default and at most); when there are so many,
 * there may be more.
 * @throws ServiceUnavailable when orders, inventory or tracking is away, or the books are too long for 60 s.
 */
export const reconciliation = defineAction<object, ReconciliationParams>({
  access: ['staff', 'admin'],
  params: reconciliationParams,
  timeout: TIMEOUT_MS,
  // It reads everything: a few at once are enough.
  bulkhead: { enabled: true, concurrency: 2, maxQueueSize: 10 },
  handler(ctx): Promise<Disagreement[]> {
    // The books of all customers are for the engine alone: from here on it asks on its own account.
    setCaller(ctx, ENGINE);
    return reconcile(booksOver(ctx), ctx.params.limit ?? MAX_DISAGREEMENTS);
  },
});
