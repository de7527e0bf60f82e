/** What operators and their probes ask: health and metrics, at the root. */
import { localRoute, type RouteGroup } from '../../../mixins/gateway/routes/endpoint.ts';
import { PROMETHEUS_CONTENT_TYPE, readMetrics } from '../../../mixins/metrics/prometheus.ts';
import { checkReadiness } from '../../../mixins/process/readiness.ts';

const PROBE = { access: 'public', query: 'ignored', unlimited: true } as const;

export const operationsRoutes: RouteGroup = {
  name: 'operations',
  path: '/',
  endpoints: [
    localRoute('GET /health/live', () => ({ status: 'live' }), PROBE),
    localRoute('GET /health/ready', (gateway) => checkReadiness(gateway.broker), PROBE),
    localRoute('GET /metrics', (gateway) => readMetrics(gateway.broker), {
      access: ['staff', 'admin'],
      query: 'ignored',
      reply: (text) => ({ status: 200, headers: { 'Content-Type': PROMETHEUS_CONTENT_TYPE }, body: text }),
    }),
  ],
};
