/** The broker's metric registry as Prometheus text, version 0.0.4. */
import type { MetricRegistry, ServiceBroker } from 'moleculer';
import { collectGauges } from './scrape.ts';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Facts about the machine that are not measurements and would reveal its names and addresses. */
const LEFT_OUT = ['os.**', 'process.arguments'];

type Labels = Record<string, unknown>;

/** A value of a metric; counts, sums and buckets only for histograms. */
interface Sample {
  labels?: Labels;
  value?: unknown;
  count?: number;
  sum?: number;
  /** Cumulative counts by upper bound. */
  buckets?: Record<string, number>;
}

interface Metric {
  type: string;
  name: string;
  description?: string;
  unit?: string;
  values: Sample[];
}

/** The metrics of a broker as Prometheus text. Gauges that are measured on demand are measured first. */
export async function readMetrics(broker: ServiceBroker): Promise<string> {
  await collectGauges(broker);
  return renderPrometheus(broker.metrics);
}

/** Renders every metric that has a value. Characters that Prometheus forbids in names become `_`. */
export function renderPrometheus(registry: MetricRegistry): string {
  const metrics = registry.list({ excludes: LEFT_OUT }) as unknown as Metric[];
  return metrics
    .filter((metric) => metric.values.length > 0)
    .map(renderMetric)
    .join('');
}

function renderMetric(metric: Metric): string {
  const name = metric.name.replace(/[^a-zA-Z0-9_:]/g, '_');
  const type = metric.type === 'info' ? 'gauge' : metric.type;
  const help = (metric.description ?? `${metric.name}${metric.unit ? ` (${metric.unit})` : ''}`).replace(
    /[\\\n]/g,
    ' ',
  );
  const samples = metric.values.map((sample) => renderSample(name, metric.type, sample)).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples}`;
}

function renderSample(name: string, type: string, sample: Sample): string {
  if (type === 'info') return line(name, { ...sample.labels, value: sample.value }, 1);
  if (type !== 'histogram') return line(name, sample.labels, sample.value);
  // JavaScript lists integer-like keys first, so the bounds must be sorted.
  const bounds = Object.entries(sample.buckets ?? {}).toSorted(([a], [b]) => Number(a) - Number(b));
  return (
    bounds.map(([le, count]) => line(`${name}_bucket`, { ...sample.labels, le }, count)).join('') +
    line(`${name}_bucket`, { ...sample.labels, le: '+Inf' }, sample.count) +
    line(`${name}_sum`, sample.labels, sample.sum) +
    line(`${name}_count`, sample.labels, sample.count)
  );
}

function line(name: string, labels: Labels | undefined, value: unknown): string {
  const pairs = Object.entries(labels ?? {}).map(
    ([label, text]) => `${label.replace(/[^a-zA-Z0-9_]/g, '_')}="${escapeLabel(String(text))}"`,
  );
  const number = typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : Number.NaN;
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${number}\n`;
}

const escapeLabel = (text: string) => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
