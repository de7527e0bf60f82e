/** What `this` is in the actions of orders. */
import type { Service } from 'moleculer';
import type { Recovery } from '../../mixins/actor/recovery.ts';
import type { WithDatabase } from '../../mixins/database/database.mixin.ts';
import type { WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import type { OrderHost, OrderPlacing } from './engine/placing.ts';
import type { OrderQueries } from './store/order.queries.ts';
import type { Claimed } from './store/order.port.ts';
import type { OrderStore } from './store/order.store.ts';

export interface OrdersOwn extends WithDatabase, WithOutbox {
  store: OrderStore;
  queries: OrderQueries;
  host: OrderHost;
  placing: OrderPlacing;
  recovery: Recovery<Claimed>;
  forgetting: NodeJS.Timeout;
  endOfGauges?: () => void;
}

export type OrdersService = Service & OrdersOwn;
