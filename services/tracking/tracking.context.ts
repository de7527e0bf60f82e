/** The type of `this` in the actions of tracking. */
import type { Service } from 'moleculer';
import type { WithDatabase } from '../../mixins/database/database.mixin.ts';
import type { WithReadModel } from '../../mixins/database/read-model.mixin.ts';
import type { WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import type { ShipmentColumns } from './models/shipment.model.ts';
import type { ShipmentQueries } from './store/shipment.queries.ts';
import type { ShipmentStore } from './store/shipment.store.ts';

export interface TrackingOwn extends WithDatabase, WithOutbox, WithReadModel<ShipmentColumns> {
  store: ShipmentStore;
  queries: ShipmentQueries;
}

export type TrackingService = Service & TrackingOwn;
