/** The gateway: HTTP on one side, the actions of the other services on the other. */
import type { ServiceSchema } from 'moleculer';
import type { AuthSettings } from '../../mixins/auth/auth.settings.ts';
import { gatewayMixin } from '../../mixins/gateway/gateway.mixin.ts';
import type { HttpSettings } from '../../mixins/gateway/gateway.settings.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { readSettings } from '../../mixins/settings/settings.ts';
import { inventoryRoutes } from './routes/inventory.routes.ts';
import { operationsRoutes } from './routes/operations.routes.ts';
import { ordersRoutes } from './routes/orders.routes.ts';
import { reportsRoutes } from './routes/reports.routes.ts';
import { trackingRoutes } from './routes/tracking.routes.ts';

/** The service, with settings that are read when it is created. */
export function apiService(
  settings: () => HttpSettings,
  auth: () => AuthSettings | undefined = () => readSettings().auth,
): ServiceSchema {
  return defineService({
    name: 'api',
    mixins: [
      gatewayMixin({
        settings,
        auth,
        groups: [operationsRoutes, ordersRoutes, inventoryRoutes, trackingRoutes, reportsRoutes],
      }),
    ],
  });
}

export default apiService(() => readSettings().http);
