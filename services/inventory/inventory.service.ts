/** The inventory service: the product catalogue, and the stock book that reserves, releases and consumes for orders. */
import { databaseMixin } from '../../mixins/database/database.mixin.ts';
import { readModelMixin } from '../../mixins/database/read-model.mixin.ts';
import { outboxMixin } from '../../mixins/events/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { settingsOf } from '../../mixins/settings/settings.ts';
import { addStock } from './actions/add-stock.action.ts';
import { create, get, list, update } from './actions/catalog.actions.ts';
import { imbalances, reservations } from './actions/reconciliation.actions.ts';
import { setStock } from './actions/set-stock.action.ts';
import { consume, release, reserve } from './actions/stock.actions.ts';
import type { InventoryOwn } from './inventory.context.ts';
import { readInventorySettings } from './inventory.settings.ts';
import { migrations } from './migrations/index.ts';
import { ProductModel } from './models/product.model.ts';
import { fillDemoCatalog } from './store/demo-catalog.ts';
import { ProductQueries } from './store/product.queries.ts';
import { ProductStore } from './store/product.store.ts';
import { ReservationQueries } from './store/reservation.queries.ts';
import { StockBookStore } from './store/stock-book.store.ts';

export default defineService<InventoryOwn>({
  name: 'inventory',
  // Moleculer starts the last mixin first and stops it last.
  mixins: [readModelMixin(ProductModel), outboxMixin(), databaseMixin('inventory', migrations)],

  actions: { reserve, release, consume, addStock, setStock, create, update, get, list, reservations, imbalances },

  async started() {
    const { database } = this;
    const wake = (): void => this.outbox.wake();
    this.book = new StockBookStore(database, this.broker.metrics, wake);
    this.catalog = new ProductStore(database, wake);
    this.products = new ProductQueries(this.adapter);
    this.reservations = new ReservationQueries(database);
    const { demoCatalog } = readInventorySettings(settingsOf(this.broker).reader);
    if (demoCatalog && (await fillDemoCatalog(database))) {
      this.logger.info(
        'The inventory was empty: added the demo products 1 to 10 (set DEMO_CATALOG=false to leave it empty)',
      );
      wake();
    }
  },

  async stopped() {
    await this.book?.drained();
  },
});
