/** What operators and their probes ask: health and metrics, at the root. */
import type { ServiceBroker } from 'moleculer';
import { localRoute, type RouteGroup } from '../../../mixins/http/endpoint.ts';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from '../../../mixins/metrics/prometheus.ts';
import { collectGauges } from '../../../mixins/metrics/scrape.ts';
import { checkReadiness } from '../readiness.ts';

export const operationsRoutes: RouteGroup = {
  name: 'operations',
  path: '/',
  endpoints: [
    localRoute('GET /health/live', () => ({ status: 'live' }), { query: 'ignored' }),
    localRoute('GET /health/ready', (gateway) => checkReadiness(gateway.broker), { query: 'ignored' }),
    localRoute('GET /metrics', (gateway) => readMetrics(gateway.broker), {
      query: 'ignored',
      reply: (text) => ({ status: 200, headers: { 'Content-Type': PROMETHEUS_CONTENT_TYPE }, body: text }),
    }),
  ],
};

async function readMetrics(broker: ServiceBroker): Promise<string> {
  await collectGauges(broker);
  return renderPrometheus(broker.metrics);
}
