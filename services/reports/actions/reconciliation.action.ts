/** reconciliation: reports inconsistencies between orders, inventory and tracking. */
import { ENGINE, setCaller } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { MAX_DISAGREEMENTS, reconciliationParams } from '../reports.params.ts';
import type { Disagreement, ReconciliationParams } from '../reports.types.ts';
import { booksOver } from '../store/books.ts';
import { reconcile } from './reconcile.ts';

/** The time limit for a whole run. */
const TIMEOUT_MS = 60_000;

/**
 * Compares every reservation and shipment with its order, and returns the disagreements; none when all is well. Work that
 * an order still owes is not a disagreement. Returns at most `limit` entries (default and maximum: 1,000); if it returns
 * that many, there may be more.
 * @throws ServiceUnavailable when orders, inventory or tracking is unavailable, or the run takes longer than 60 s
 */
export const reconciliation = defineAction<object, ReconciliationParams>({
  access: ['staff', 'admin'],
  repeatable: true,
  params: reconciliationParams,
  timeout: TIMEOUT_MS,
  // A run reads everything, so only a few may run at once.
  bulkhead: { enabled: true, concurrency: 2, maxQueueSize: 10 },
  handler(ctx): Promise<Disagreement[]> {
    // Only the engine may read the books of all customers, so the calls from here on are its own.
    setCaller(ctx, ENGINE);
    return reconcile(booksOver(ctx), ctx.params.limit ?? MAX_DISAGREEMENTS);
  },
});
