/** Orders: takes them, decides what becomes of them, and carries on what is owed for them. */
import { databaseMixin } from '../../mixins/database/database.mixin.ts';
import { outboxMixin } from '../../mixins/events/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { settingsOf } from '../../mixins/settings/settings.ts';
import { subscriptionsMixin } from '../../mixins/events/inbox/subscriptions.mixin.ts';
import { command } from './actions/command.action.ts';
import { create } from './actions/create.action.ts';
import { explain } from './actions/explain.action.ts';
import { get, history, listByCustomer, search } from './actions/read.actions.ts';
import { retry } from './actions/retry.action.ts';
import { states } from './actions/states.action.ts';
import { migrations } from './migrations/index.ts';
import { orderEngine, parcelDelivered } from './engine/order-engine.ts';
import type { OrdersOwn } from './orders.context.ts';
import { readOrdersSettings } from './orders.settings.ts';
import { showOwed } from './orders.metrics.ts';
import { OrderQueries } from './store/order.queries.ts';
import { OrderStore } from './store/order.store.ts';

const RECOVERY_TICK_MS = 250;
const KEY_TTL_MS = 24 * 3_600_000;
const FORGET_KEYS_EVERY_MS = 60_000;

export default defineService<OrdersOwn>({
  name: 'orders',
  calls: ['inventory', 'tracking'],
  // Moleculer starts the last mixin first and stops it last.
  mixins: [subscriptionsMixin(), outboxMixin(), databaseMixin('orders', migrations)],

  actions: {
    create,
    get,
    listByCustomer,
    search,
    history,
    explain,
    cancel: command('CANCEL', ['customer', 'staff', 'admin']),
    ship: command('SHIP', ['staff', 'admin']),
    deliver: command('DELIVER', ['staff', 'admin']),
    retry,
    states,
  },

  subscriptions: {
    /** A parcel that has arrived makes its order DELIVERED. */
    'shipment.updated': {
      wants: ({ data }) => data.status === 'DELIVERED',
      async handler({ data: { orderId } }) {
        const status = await parcelDelivered(this.host, orderId);
        if (status !== undefined)
          this.logger.warn(`Order ${orderId}: a parcel was delivered for an order that is ${status}`);
      },
    },
  },

  started() {
    const settings = readOrdersSettings(settingsOf(this.broker).reader);
    const { nodeID: node } = this.broker;
    const terms = { node, leaseMs: settings.leaseMs, ttlMs: settings.pendingTtlMs };
    this.store = new OrderStore(this.database, terms, {
      wrote: () => this.outbox.wake(),
      unfit: (id, error) =>
        this.logger.error(`Order ${id} cannot be read, and is set aside for a while:`, error.message),
    });
    this.queries = new OrderQueries(this.database);
    this.endOfGauges = showOwed(this.broker, this.database);
    let away = false;
    const engine = orderEngine(
      this.store,
      this.broker,
      {
        node,
        ...settings,
        recoveryTickMs: RECOVERY_TICK_MS,
      },
      {
        onClaim: () => {
          if (away) this.logger.info('The database answers again: recovery goes on');
          away = false;
        },
        onFailure: (error) => {
          if (!away) this.logger.warn('Recovery cannot go on now and tries again:', (error as Error).message);
          away = true;
        },
        onSetback: (order, setback) => {
          const story = `Order ${order.id} (request ${order.requestId}): ${setback.lastError}; attempt ${setback.attempt}`;
          if (setback.at === 'parked') this.logger.error(`${story}, the last. It waits for an operator's retry`);
          else this.logger.debug(`${story}, the next in ${setback.pauseMs} ms`);
        },
      },
    );
    this.host = engine.host;
    this.placing = engine.placing;
    this.recovery = engine.recovery;
    this.recovery.start();
    this.forgetting = setInterval(() => {
      // What could not be forgotten now is forgotten a minute later.
      this.store.forgetKeys(KEY_TTL_MS).catch(() => undefined);
    }, FORGET_KEYS_EVERY_MS);
  },

  async stopped() {
    this.endOfGauges?.();
    clearInterval(this.forgetting);
    await this.recovery?.stop();
    await this.host?.drained();
    await this.store?.drained();
  },
});
