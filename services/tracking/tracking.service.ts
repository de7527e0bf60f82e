/** Shipments and their timelines: makes one an order, keeps what carriers report, tells of every change. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'moleculer';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { NotFound, ServiceUnavailable, Failure } from '../../machines/shared/failure.ts';
import { eventOfStatus } from '../../machines/shipment/shipment.machine.ts';
import { confinedTo } from '../../mixins/auth/caller.ts';
import { databaseMixin, type WithDatabase } from '../../mixins/database/database.mixin.ts';
import { orUnavailable } from '../../mixins/database/sql-failure.ts';
import { GroupCommit } from '../../mixins/actor/group-commit.ts';
import { countBatches } from '../../mixins/metrics/batch-metrics.ts';
import { outboxMixin, type WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { subscriptionsMixin } from '../../mixins/events/inbox/subscriptions.mixin.ts';
import { type Change, type ChangeOutcome, changeShipments } from './store/change-shipments.ts';
import { type CreateOutcome, createShipments, type NewShipment, newShipment } from './store/create-shipments.ts';
import { migrations } from './migrations/index.ts';
import { shipmentsPage } from './actions/shipments.action.ts';
import { deliveredEntry, findShipment } from './tracking.view.ts';
import { parseTrackingNumber, trackingNumberOf } from './tracking-number.ts';
import { defineTrackingModels, type TrackingModels } from './models/tracking.models.ts';
import {
  addEventParams,
  createShipmentParams,
  freeFieldsOf,
  getShipmentParams,
  voidShipmentParams,
} from './tracking.params.ts';
import type {
  AddEventParams,
  AddEventResult,
  CreateShipmentParams,
  CreateShipmentResult,
  GetShipmentParams,
  ShipmentResult,
  VoidShipmentParams,
  VoidShipmentResult,
} from './tracking.types.ts';

interface Tracking extends WithDatabase, WithOutbox {
  models: TrackingModels;
  creating: GroupCommit<NewShipment, CreateOutcome>;
  changing: GroupCommit<Change, ChangeOutcome>;
}

const noSuchShipment = (trackingNumber: string): NotFound =>
  new NotFound(`No shipment has the tracking number ${trackingNumber.slice(0, 60)}`);

const ofOrder = (event: DomainEvent): number => (event.data as { orderId: number }).orderId;

/** Brings an order's own news into its timeline. What the shipment knows already, or better, changes nothing. */
async function follow(service: Tracking, event: DomainEvent, news: Pick<Change, 'event' | 'status'>): Promise<void> {
  const orderId = ofOrder(event);
  const outcome = await service.changing.push({
    ...news,
    orderId,
    location: null,
    details: null,
    extra: null,
    happenedAt: event.at,
    id: event.id,
  });
  // The order still owes the shipment: the event comes again later.
  if (outcome.kind === 'absent') throw new ServiceUnavailable(`The shipment of order ${orderId} is not made yet`);
}

export default defineService<Tracking>({
  name: 'tracking',
  // Moleculer starts the last mixin first and stops it last.
  mixins: [subscriptionsMixin(), outboxMixin(), databaseMixin('tracking', migrations)],

  actions: {
    /**
     * Makes the shipment of an order, once: a repeat answers the same tracking number. IllegalTransition when the
     * shipment was voided, even before it was made; OrderIdReused when it has another carrier or address.
     */
    createShipment: {
      access: ['staff', 'admin'],
      params: createShipmentParams,
      async handler(ctx: Context<CreateShipmentParams>): Promise<CreateShipmentResult> {
        const outcome = await this.creating.push(newShipment(ctx.params, Date.now()));
        if (outcome instanceof Failure) throw outcome;
        return outcome;
      },
    },

    /**
     * Voids the shipment of an order, made or not: afterwards it is never made. Repeats succeed. Answers
     * `success: false` when the parcel is delivered already.
     */
    void: {
      access: ['staff', 'admin'],
      params: voidShipmentParams,
      async handler(ctx: Context<VoidShipmentParams>): Promise<VoidShipmentResult> {
        const { orderId } = ctx.params;
        const outcome = await this.changing.push({
          orderId,
          event: 'VOID',
          status: 'VOIDED',
          location: null,
          details: null,
          extra: null,
          happenedAt: new Date().toISOString(),
          id: randomUUID(),
        });
        return outcome.kind === 'refused'
          ? { success: false, message: `The shipment of order ${orderId} is delivered, and cannot be voided` }
          : { success: true, message: `The shipment of order ${orderId} is voided` };
      },
    },

    /** A shipment with its whole timeline. NotFound for an unknown number, and for another customer's shipment. */
    get: {
      access: ['customer', 'staff', 'admin'],
      params: getShipmentParams,
      async handler(ctx: Context<GetShipmentParams>): Promise<ShipmentResult> {
        const key = parseTrackingNumber(ctx.params.trackingNumber);
        const shipment =
          key && (await orUnavailable(findShipment(this.models, key.orderId, key.uuid, confinedTo(ctx))));
        if (!shipment) throw noSuchShipment(ctx.params.trackingNumber);
        return shipment;
      },
    },

    /**
     * Records what a carrier reports, its free fields included. DELIVERED is recorded once: a repeat answers the first
     * entry. NotFound for an unknown number; IllegalTransition for a shipment that is delivered or voided, or whose
     * timeline is full.
     */
    addEvent: {
      access: ['staff', 'admin'],
      params: addEventParams,
      async handler(ctx: Context<AddEventParams>): Promise<AddEventResult> {
        const { trackingNumber, location = null, details = null, timestamp } = ctx.params;
        const key = parseTrackingNumber(trackingNumber);
        if (!key) throw noSuchShipment(trackingNumber);
        const shipment = { trackingNumber: trackingNumberOf(key.uuid), orderId: key.orderId };
        const status = ctx.params.status.toUpperCase();
        const free = freeFieldsOf(ctx.params);
        const happenedAt = (timestamp ? new Date(timestamp) : new Date()).toISOString();
        const outcome = await this.changing.push({
          ...key,
          event: eventOfStatus(status),
          status,
          location,
          details: details === null ? null : JSON.stringify(details),
          extra: Object.keys(free).length === 0 ? null : JSON.stringify(free),
          happenedAt,
          id: randomUUID(),
        });
        if (outcome.kind === 'absent') throw noSuchShipment(trackingNumber);
        if (outcome.kind === 'refused') throw outcome.error;
        if (outcome.kind === 'repeated') {
          return { ...(await orUnavailable(deliveredEntry(this.models, key.orderId))), ...shipment };
        }
        return { ...free, ...shipment, status, timestamp: happenedAt, location, details };
      },
    },

    shipments: shipmentsPage,
  },

  subscriptions: {
    'order.shipped': {
      handler(event) {
        return follow(this, event, { event: 'SHIP', status: 'SHIPPED' });
      },
    },
    'order.delivered': {
      handler(event) {
        return follow(this, event, { event: 'DELIVER', status: 'DELIVERED' });
      },
    },
  },

  started() {
    const { pool, sequelize } = this.database;
    const { metrics } = this.broker;
    const wake = (): void => this.outbox.wake();
    this.models = defineTrackingModels(sequelize);
    this.creating = new GroupCommit(
      countBatches(metrics, 'tracking create', (items) => orUnavailable(createShipments(pool, items, wake))),
      { name: 'make shipments' },
    );
    this.changing = new GroupCommit(
      countBatches(metrics, 'tracking change', (items) =>
        orUnavailable(changeShipments(pool, items, Date.now(), wake)),
      ),
      { name: 'change shipments' },
    );
  },

  async stopped() {
    await Promise.all([this.creating?.drained(), this.changing?.drained()]);
  },
});
