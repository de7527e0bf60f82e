/** The type of `this` in the actions of inventory. */
import type { WithDatabase } from '../../mixins/database/database.mixin.ts';
import type { WithReadModel } from '../../mixins/database/read-model.mixin.ts';
import type { WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import type { ProductColumns } from './models/product.model.ts';
import type { ProductQueries } from './store/product.queries.ts';
import type { ProductStore } from './store/product.store.ts';
import type { ReservationQueries } from './store/reservation.queries.ts';
import type { StockBookStore } from './store/stock-book.store.ts';

export interface InventoryOwn extends WithDatabase, WithOutbox, WithReadModel<ProductColumns> {
  /** Changes stock levels. */
  book: StockBookStore;
  /** Changes the catalogue. */
  catalog: ProductStore;
  products: ProductQueries;
  reservations: ReservationQueries;
}
