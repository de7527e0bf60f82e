/** The api service: the gateway from HTTP to the actions of the other services. */
import type { ServiceSchema } from 'moleculer';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { gatewayMixin } from '../../mixins/gateway/gateway.mixin.ts';
import type { GatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { SseStream } from '../../mixins/gateway/stream/sse.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { settingsOf } from '../../mixins/settings/settings.ts';
import { live, metrics, readiness } from './actions/operations.actions.ts';
import { orderEvents, ordersEvents } from './actions/stream.actions.ts';
import type { ApiOwn } from './api.context.ts';
import type { FeedPage, FeedRequest } from '../orders/orders.types.ts';
import { readApiSettings } from './api.settings.ts';
import { OrderFeed } from './engine/order-feed.ts';
import { inventoryRoutes } from './routes/inventory.routes.ts';
import { operationsRoutes } from './routes/operations.routes.ts';
import { ordersRoutes } from './routes/orders.routes.ts';
import { reportsRoutes } from './routes/reports.routes.ts';
import { streamsRoutes } from './routes/streams.routes.ts';
import { trackingRoutes } from './routes/tracking.routes.ts';

/** Creates the service. `given` overrides the settings of its broker. */
export function apiService(given: Partial<GatewaySettings> = {}): ServiceSchema {
  return defineService<ApiOwn>({
    name: 'api',
    // Only orders is required: work owed to the other services can wait.
    needs: ['orders'],
    calls: ['orders', 'inventory', 'tracking', 'reports'],
    mixins: [
      gatewayMixin({
        settings: (broker) => ({ ...readApiSettings(settingsOf(broker).reader), ...given }),
        groups: [operationsRoutes, streamsRoutes, ordersRoutes, inventoryRoutes, trackingRoutes, reportsRoutes],
      }),
    ],
    actions: { live, readiness, metrics, orderEvents, ordersEvents },
    created() {
      const { broker, logger } = this;
      const open = new Set<SseStream>();
      const cutOff = (): void => logger.debug('A reader of a stream was too slow and is cut off');
      this.feed = new OrderFeed((request) => broker.call<FeedPage, FeedRequest>('orders.feed', request), logger);
      let stopping = false;
      this.newStream = () => {
        // A reader whose stream has just ended comes back at once.
        if (stopping) throw new ServiceUnavailable('The gateway is stopping: connect again in a moment');
        const stream = new SseStream(cutOff);
        open.add(stream);
        stream.once('close', () => open.delete(stream));
        return stream;
      };
      // Before the gateway waits for the answers in flight.
      broker.middlewares.add({
        name: 'StreamsEnd',
        stopping: () => {
          stopping = true;
          this.feed.close();
          for (const stream of open) stream.end();
          return Promise.resolve();
        },
      });
    },
  });
}

export default apiService();
