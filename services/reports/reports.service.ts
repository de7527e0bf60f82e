/** Reports: what can be said only by looking at several services together. It keeps nothing and changes nothing. */
import type { Context } from 'moleculer';
import { ServiceUnavailable, Failure } from '../../machines/shared/failure.ts';
import type { Disagreement } from '../../machines/reconciliation/reconciliation.ts';
import { ENGINE, setCaller } from '../../mixins/auth/caller.ts';
import { countNumber } from '../../mixins/params/params.ts';
import { defineAction, defineService } from '../../mixins/mesh/schema.ts';
import { type BookReader, type PageRequest, reconcile } from './store/books.ts';
import type { ReconciliationParams } from './reports.types.ts';

/** How long one page may take, and all of them together. */
const PAGE_TIMEOUT_MS = 10_000;
const TIMEOUT_MS = 60_000;

/** So many entries fit into a message between nodes. */
const MAX_LIMIT = 1_000;

/**
 * Compares every reservation and shipment with its order, and answers what disagrees: nothing when all is well. What an
 * order still owes is no disagreement. At most `limit` entries (1,000 by default and at most); when there are so many,
 * there may be more.
 * @throws ServiceUnavailable when orders, inventory or tracking is away, or the books are too long for 60 s.
 */
const reconciliation = defineAction<object, ReconciliationParams>({
  access: ['staff', 'admin'],
  params: { $$strict: true, limit: { ...countNumber(MAX_LIMIT), optional: true } },
  timeout: TIMEOUT_MS,
  // It reads everything: a few at once are enough.
  bulkhead: { enabled: true, concurrency: 2, maxQueueSize: 10 },
  handler(ctx): Promise<Disagreement[]> {
    // The books of all customers are for the engine alone: from here on it asks on its own account.
    setCaller(ctx, ENGINE);
    return reconcile(readerOver(ctx), ctx.params.limit ?? MAX_LIMIT);
  },
});

export default defineService({
  name: 'reports',
  calls: ['orders', 'inventory', 'tracking'],
  actions: { reconciliation },
});

function readerOver(ctx: Context<ReconciliationParams>): BookReader {
  return {
    orders: (request) => ask(ctx, 'orders', 'states', request),
    reservations: (request) => ask(ctx, 'inventory', 'reservations', request),
    shipments: (request) => ask(ctx, 'tracking', 'shipments', request),
    imbalances: () => ask(ctx, 'inventory', 'imbalances', {}),
  };
}

async function ask<Answer>(ctx: Context, service: string, action: string, params: PageRequest): Promise<Answer> {
  try {
    return await ctx.call<Answer, PageRequest>(`${service}.${action}`, params, { timeout: PAGE_TIMEOUT_MS });
  } catch (error) {
    if (error instanceof Failure && !error.retryable) throw error;
    const message = `Reconciliation needs ${service}, which does not answer in time. Repeat the request when it is back`;
    throw Object.assign(new ServiceUnavailable(message, { missing: [service] }), { cause: error });
  }
}
