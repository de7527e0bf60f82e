/** `/reports`: from HTTP to the actions of the reports service. */
import { type RouteGroup, route } from '../../../mixins/gateway/routes/endpoint.ts';
import { API_PATH } from './api-path.ts';

/** As long as the action itself may take: it reads everything there is. */
const RECONCILIATION_TIMEOUT_MS = 60_000;

export const reportsRoutes: RouteGroup = {
  name: 'reports',
  path: API_PATH,
  endpoints: [
    route('GET /reports/reconciliation', 'reports.reconciliation', {
      query: { limit: 'integer' },
      params: ({ query }) => ({ ...query }),
      timeoutMs: RECONCILIATION_TIMEOUT_MS,
    }),
  ],
};
