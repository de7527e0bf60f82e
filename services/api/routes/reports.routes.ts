/** The routes of `/reports`, to the actions of the reports service. */
import { type RouteGroup, route } from '../../../mixins/gateway/routes/endpoint.ts';
import { API_PATH } from './api-path.ts';

/** The same as the actions' own timeout, because a report may read everything. */
const REPORT_TIMEOUT_MS = 60_000;

export const reportsRoutes: RouteGroup = {
  name: 'reports',
  path: API_PATH,
  timeoutMs: REPORT_TIMEOUT_MS,
  endpoints: [
    route('GET /reports/reconciliation', 'reports.reconciliation', {
      query: { limit: 'integer' },
      params: ({ query }) => ({ ...query }),
    }),
  ],
};
