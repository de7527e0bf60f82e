/** The api service: the gateway from HTTP to the actions of the other services. */
import type { ServiceSchema } from 'moleculer';
import { gatewayMixin } from '../../mixins/gateway/gateway.mixin.ts';
import type { GatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { settingsOf } from '../../mixins/settings/settings.ts';
import { live, metrics, readiness } from './actions/operations.actions.ts';
import { readApiSettings } from './api.settings.ts';
import { inventoryRoutes } from './routes/inventory.routes.ts';
import { operationsRoutes } from './routes/operations.routes.ts';
import { ordersRoutes } from './routes/orders.routes.ts';
import { reportsRoutes } from './routes/reports.routes.ts';
import { trackingRoutes } from './routes/tracking.routes.ts';

/** Creates the service. `given` overrides the settings of its broker. */
export function apiService(given: Partial<GatewaySettings> = {}): ServiceSchema {
  return defineService({
    name: 'api',
    // Only orders is required: work owed to the other services can wait.
    needs: ['orders'],
    calls: ['orders', 'inventory', 'tracking', 'reports'],
    mixins: [
      gatewayMixin({
        settings: (broker) => ({ ...readApiSettings(settingsOf(broker).reader), ...given }),
        groups: [operationsRoutes, ordersRoutes, inventoryRoutes, trackingRoutes, reportsRoutes],
      }),
    ],
    actions: { live, readiness, metrics },
  });
}

export default apiService();
