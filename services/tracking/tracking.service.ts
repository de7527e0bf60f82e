/** The tracking service: creates one shipment per order, records carriers' reports, and publishes every change. */
import { databaseMixin } from '../../mixins/database/database.mixin.ts';
import { readModelMixin } from '../../mixins/database/read-model.mixin.ts';
import { subscriptionsMixin } from '../../mixins/events/inbox/subscriptions.mixin.ts';
import { outboxMixin } from '../../mixins/events/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { addEvent } from './actions/add-event.action.ts';
import { createShipment } from './actions/create-shipment.action.ts';
import { get } from './actions/get.action.ts';
import { list } from './actions/list.action.ts';
import { shipments } from './actions/reconciliation.actions.ts';
import { voidShipment } from './actions/void.action.ts';
import { migrations } from './migrations/index.ts';
import { ShipmentModel } from './models/shipment.model.ts';
import { ShipmentQueries } from './store/shipment.queries.ts';
import { ShipmentStore } from './store/shipment.store.ts';
import type { TrackingOwn } from './tracking.context.ts';
import { catchUp, subscriptions } from './tracking.subscriptions.ts';

export default defineService<TrackingOwn>({
  name: 'tracking',
  // Moleculer starts the last mixin first and stops it last.
  mixins: [subscriptionsMixin(), readModelMixin(ShipmentModel), outboxMixin(), databaseMixin('tracking', migrations)],

  actions: { createShipment, void: voidShipment, get, list, addEvent, shipments },

  subscriptions,
  catchUp,

  started() {
    this.store = new ShipmentStore(this.database, this.broker.metrics, () => this.outbox.wake());
    this.queries = new ShipmentQueries(this.adapter, this.database);
  },

  async stopped() {
    await this.store?.drained();
  },
});
