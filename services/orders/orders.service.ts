/** Orders: takes them, decides what becomes of them, and carries on what is owed for them. */
import type { DomainEvent } from '../../machines/domain-event.ts';
import { IllegalTransition } from '../../machines/errors.ts';
import { decide } from '../../machines/order.decide.ts';
import type { OrderEvent } from '../../machines/order.ts';
import type { Effect } from '../../machines/order.machine.ts';
import { ActorHost } from '../../mixins/actor/actor-host.ts';
import { Recovery } from '../../mixins/actor/recovery.ts';
import { databaseMixin } from '../../mixins/database/database.mixin.ts';
import { outboxMixin } from '../../mixins/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/schema.ts';
import { readSettings } from '../../mixins/settings.ts';
import { subscriptionsMixin } from '../../mixins/stream/subscriptions.mixin.ts';
import { command } from './actions/command.action.ts';
import { create } from './actions/create.action.ts';
import { explain } from './actions/explain.action.ts';
import { get, history, listByCustomer, search } from './actions/read.actions.ts';
import { retry } from './actions/retry.action.ts';
import { orders } from './migrations/0001-orders.ts';
import type { OrdersOwn } from './orders.context.ts';
import { OrderPlacing } from './placing.ts';
import { OrderSaga, Refused } from './saga.ts';
import { OrderQueries } from './store/order.queries.ts';
import { type Claimed, OrderStore } from './store/order.store.ts';

const MAX_MAILBOX = 64;
const RECOVERY_TICK_MS = 250;
const KEY_TTL_MS = 24 * 3_600_000;
const FORGET_KEYS_EVERY_MS = 60_000;

export default defineService<OrdersOwn>({
  name: 'orders',
  // Moleculer starts the last mixin first and stops it last.
  mixins: [subscriptionsMixin(), outboxMixin(), databaseMixin('orders', [orders])],

  actions: {
    create,
    get,
    listByCustomer,
    search,
    history,
    explain,
    cancel: command('CANCEL'),
    ship: command('SHIP'),
    deliver: command('DELIVER'),
    retry,
  },

  subscriptions: {
    /** A parcel that has arrived makes its order DELIVERED. */
    'shipment.updated': {
      wants: (event: DomainEvent) => event.data.status === 'DELIVERED',
      async handler(event: DomainEvent) {
        const orderId = event.data.orderId as number;
        try {
          // Shipments can be made by hand, for orders that are not ours.
          await this.host.tell(orderId, { event: { type: 'PARCEL_DELIVERED' } });
        } catch (error) {
          const pending = error instanceof IllegalTransition && error.data.status === 'PENDING_CHECK';
          if (!(error instanceof IllegalTransition) || pending) throw error;
          this.logger.warn(
            `Order ${orderId}: a parcel was delivered for an order that is ${String(error.data.status)}`,
          );
        }
      },
    },
  },

  started() {
    const settings = readSettings();
    const node = this.broker.nodeID;
    const saga = new OrderSaga(this.broker, settings.callTimeoutMs);
    const terms = { node, leaseMs: settings.orderLeaseMs, ttlMs: settings.orderPendingTtlMs };
    this.store = new OrderStore(this.database, terms, () => this.outbox.wake());
    this.queries = new OrderQueries(this.database);
    this.host = new ActorHost(
      {
        decide,
        owed: (order) => order.state.owed.map((owed) => owed.effect),
        load: (id) => this.store.load(id),
        save: (change) => this.store.save(change),
        perform: (effect, memory) => saga.perform(effect as Effect, memory.state),
        isFinal: (error) => error instanceof Refused,
        isRefusal: (error) => error instanceof IllegalTransition,
        now: Date.now,
      },
      {
        node,
        retryBaseMs: settings.orderRetryBaseMs,
        retryCapMs: settings.orderRetryCapMs,
        maxAttempts: settings.orderMaxAttempts,
        maxMailbox: MAX_MAILBOX,
      },
    );
    this.placing = new OrderPlacing(this.store, this.host, { maxInFlight: settings.orderMaxInFlight });

    const expire: OrderEvent = {
      type: 'EXPIRE',
      reason: `It stayed PENDING_CHECK for longer than ${settings.orderPendingTtlMs / 1_000} s`,
    };
    let away = false;
    this.recovery = new Recovery<Claimed>(
      {
        claim: async (limit) => {
          const claimed = await this.store.claimDue(limit);
          if (away) this.logger.info('The database answers again: recovery goes on');
          away = false;
          return claimed;
        },
        resume: async ({ memory, expired }) => {
          if (expired) await this.host.tell(memory.id, { event: expire });
          else await this.host.resume(memory);
        },
        onFailure: (error) => {
          if (!away) this.logger.warn('Recovery cannot go on now and tries again:', (error as Error).message);
          away = true;
        },
      },
      {
        ratePerSecond: settings.orderRecoveryRate,
        maxConcurrent: settings.orderRecoveryRate,
        tickMs: RECOVERY_TICK_MS,
      },
    );
    this.recovery.start();
    this.forgetting = setInterval(() => {
      // What could not be forgotten now is forgotten a minute later.
      this.store.forgetKeys(KEY_TTL_MS).catch(() => undefined);
    }, FORGET_KEYS_EVERY_MS);
  },

  async stopped() {
    clearInterval(this.forgetting);
    await this.recovery?.stop();
    await this.host?.drained();
    await this.store?.drained();
  },
});
