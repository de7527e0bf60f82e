/** The routes for operators and their probes: health and metrics, at the root. */
import { type RouteGroup, route } from '../../../mixins/gateway/routes/endpoint.ts';
import { PROMETHEUS_CONTENT_TYPE } from '../../../mixins/metrics/prometheus.ts';

const PROBE = { public: true, query: 'ignored', unlimited: true } as const;

export const operationsRoutes: RouteGroup = {
  name: 'operations',
  path: '/',
  ownNode: true,
  endpoints: [
    route('GET /health/live', 'api.live', PROBE),
    route('GET /health/ready', 'api.readiness', PROBE),
    route('GET /metrics', 'api.metrics', {
      query: 'ignored',
      reply: (text) => ({ status: 200, headers: { 'Content-Type': PROMETHEUS_CONTENT_TYPE }, body: text }),
    }),
  ],
};
