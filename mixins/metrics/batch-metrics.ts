/** Counts the batches of a group commit and the items in them. */
import type { MetricRegistry } from 'moleculer';
import type { WriteBatch } from '../actor/group-commit.ts';
import { BATCH_ITEMS_TOTAL, BATCHES_TOTAL } from './metric-names.ts';

/** Wraps a writer so that its batches are counted under `stage`. Counts nothing when the broker's metrics are off. */
export function countBatches<Item, Result>(
  registry: MetricRegistry,
  stage: string,
  write: WriteBatch<Item, Result>,
): WriteBatch<Item, Result> {
  const labels = { stage };
  // Registering twice would reset the counts.
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
