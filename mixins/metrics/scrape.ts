/** Gauges that are measured when somebody asks for them, rather than all the time. */
import type { ServiceBroker } from 'moleculer';

/** Measures and sets gauges. Its failure is its own matter: it must show in the gauge. */
export type Collector = () => Promise<void>;

/** A measurement is good for this long. */
const FRESH_MS = 5_000;
/** What takes longer is left as it was, and is there at the next scrape. */
const PATIENCE_MS = 1_000;

const collectors = new WeakMap<ServiceBroker, Set<Collector>>();

/** Has `collect` called before the metrics of a broker are read, at most every five seconds. Answers its end. */
export function onScrape(broker: ServiceBroker, collect: Collector): () => void {
  const all = collectors.get(broker) ?? new Set();
  collectors.set(broker, all);
  const rare = atMostEvery(FRESH_MS, collect);
  all.add(rare);
  return () => void all.delete(rare);
}

/** Brings the gauges of a broker up to date, as far as that is done within a second. */
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
