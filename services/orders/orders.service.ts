/** The orders service: accepts orders, decides their changes, and performs the work they owe. */
import { databaseMixin } from '../../mixins/database/database.mixin.ts';
import { subscriptionsMixin } from '../../mixins/events/inbox/subscriptions.mixin.ts';
import { outboxMixin } from '../../mixins/events/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { cancel, deliver, ship } from './actions/command.actions.ts';
import { create } from './actions/create.action.ts';
import { explain } from './actions/explain.action.ts';
import { feed } from './actions/feed.action.ts';
import { get, history, listByCustomer, search } from './actions/read.actions.ts';
import { retry } from './actions/retry.action.ts';
import { states } from './actions/states.action.ts';
import { startNode } from './engine/node.ts';
import { migrations } from './migrations/index.ts';
import type { OrdersOwn } from './orders.context.ts';
import { catchUp, subscriptions } from './orders.subscriptions.ts';

export default defineService<OrdersOwn>({
  name: 'orders',
  calls: ['inventory', 'tracking'],
  // Moleculer starts the last mixin first and stops it last.
  mixins: [subscriptionsMixin(), outboxMixin(), databaseMixin('orders', migrations)],

  actions: { create, get, listByCustomer, search, history, explain, cancel, ship, deliver, retry, states, feed },

  subscriptions,
  catchUp,

  started() {
    Object.assign(this, startNode(this));
  },

  async stopped() {
    await this.stopNode?.();
  },
});
