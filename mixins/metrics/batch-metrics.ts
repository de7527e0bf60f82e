/** Counts the batches of a group commit and what they hold. */
import type { MetricRegistry } from 'moleculer';
import type { WriteBatch } from '../actor/group-commit.ts';
import { BATCH_ITEMS_TOTAL, BATCHES_TOTAL } from './metric-names.ts';

/** The same writer, counted under `stage`. Counts nothing where the broker's metrics are off. */
export function countBatches<Item, Result>(
  registry: MetricRegistry,
  stage: string,
  write: WriteBatch<Item, Result>,
): WriteBatch<Item, Result> {
  const labels = { stage };
  // A second registration would forget what the first has counted.
  if (!registry.hasMetric(BATCHES_TOTAL)) {
    const labelNames = Object.keys(labels);
    registry.register({ type: 'counter', name: BATCHES_TOTAL, description: 'Batches written', labelNames });
    registry.register({ type: 'counter', name: BATCH_ITEMS_TOTAL, description: 'Items in batches', labelNames });
  }
  return (items) => {
    registry.increment(BATCHES_TOTAL, labels);
    registry.increment(BATCH_ITEMS_TOTAL, labels, items.length);
    return write(items);
  };
}
