/** Gauges that are measured on demand, when metrics are read. */
import type { ServiceBroker } from 'moleculer';

/** Measures and sets gauges. It must not reject: a failure shows in the gauge. */
export type Collector = () => Promise<void>;

/** A measurement is reused for this long. */
const FRESH_MS = 5_000;
/** A slower measurement shows at the next scrape; until then its gauge keeps its value. */
const PATIENCE_MS = 1_000;

const collectors = new WeakMap<ServiceBroker, Set<Collector>>();

/** Calls `collect` before the metrics of a broker are read, at most every five seconds. Returns a function that ends this. */
export function onScrape(broker: ServiceBroker, collect: Collector): () => void {
  const all = collectors.get(broker) ?? new Set();
  collectors.set(broker, all);
  const rare = atMostEvery(FRESH_MS, collect);
  all.add(rare);
  return () => void all.delete(rare);
}

/** Updates the gauges of a broker, waiting at most a second. */
export async function collectGauges(broker: ServiceBroker): Promise<void> {
  const collecting = [...(collectors.get(broker) ?? [])].map((collect) => collect());
  if (collecting.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([Promise.all(collecting), patience]);
  clearTimeout(timer);
}

function atMostEvery(ms: number, collect: Collector): Collector {
  let collected = Promise.resolve();
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - at >= ms) {
      at = now;
      collected = collect();
    }
    return collected;
  };
}
