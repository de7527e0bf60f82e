/** The inventory: a catalogue of products and the stock book that reserves, releases and consumes for orders. */
import type { Context } from 'moleculer';
import { Op } from 'sequelize';
import { NotFound, ValidationFailed } from '../../machines/shared/failure.ts';
import { moneyToNumber } from '../../machines/shared/money.ts';
import { type OrderOperation, orderLines } from '../../machines/stock/stock.book.ts';
import { databaseMixin, type WithDatabase } from '../../mixins/database/database.mixin.ts';
import { readModelMixin, type WithReadModel } from '../../mixins/database/read-model.mixin.ts';
import { outboxMixin, type WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { settingsOf } from '../../mixins/settings/settings.ts';
import { fillDemoCatalog } from './store/demo-catalog.ts';
import { addStockParams, createParams, getParams, listParams, orderParams, updateParams } from './inventory.params.ts';
import { readInventorySettings } from './inventory.settings.ts';
import type {
  NewProduct,
  PricedItem,
  Product,
  ProductChange,
  ProductListRequest,
  ProductPage,
  ProductRequest,
  StockAddition,
  StockOrder,
  StockReply,
} from './inventory.types.ts';
import { migrations } from './migrations/index.ts';
import { imbalances, reservations } from './actions/reconciliation.actions.ts';
import { defineProduct, type ProductColumns, productOf } from './models/product.model.ts';
import { ProductStore } from './store/product.store.ts';
import { StockBookStore } from './store/stock-book.store.ts';

interface Inventory extends WithDatabase, WithOutbox, WithReadModel<ProductColumns> {
  book: StockBookStore;
  catalog: ProductStore;
}

/**
 * Bounds the catalogue's calls, which wait for a connection each. The stock book's need none: they share one
 * connection, and its group commit refuses what it cannot take, where a bulkhead would cap how large batches grow.
 */
const bulkhead = { enabled: true, concurrency: 32, maxQueueSize: 1_000 };

export default defineService<Inventory>({
  name: 'inventory',
  // Moleculer starts the last mixin first and stops it last.
  mixins: [readModelMixin(defineProduct), outboxMixin(), databaseMixin('inventory', migrations)],

  actions: {
    /**
     * Reserves all items of an order or none, in order of arrival. The same order again gets the first answer.
     * Short or unknown products and a total past the largest amount are answers with `success: false`, not errors.
     * @throws OrderIdReused when the order id has a reservation with other items.
     */
    reserve: {
      access: ['staff', 'admin'],
      params: orderParams,
      handler(ctx: Context<StockOrder>): Promise<StockReply> {
        return changeStock(this.book, 'reserve', ctx.params);
      },
    },

    /**
     * Gives an order's reservation back, whole. Before its reserve it leaves a mark that makes the late reserve fail.
     * Again: the same answer. A consumed reservation answers `success: false`.
     * @throws OrderIdReused when the reservation has other items.
     */
    release: {
      access: ['staff', 'admin'],
      params: orderParams,
      handler(ctx: Context<StockOrder>): Promise<StockReply> {
        return changeStock(this.book, 'release', ctx.params);
      },
    },

    /**
     * Takes what an order has reserved out of the stock. Again: the same answer. Without a reservation, or with one
     * that was released or refused, it answers `success: false`.
     * @throws OrderIdReused when the reservation has other items.
     */
    consume: {
      access: ['staff', 'admin'],
      params: orderParams,
      handler(ctx: Context<StockOrder>): Promise<StockReply> {
        return changeStock(this.book, 'consume', ctx.params);
      },
    },

    /**
     * Adds units to a product. Not idempotent: when the answer is lost, read the product before adding again.
     * @throws NotFound, ValidationFailed when the stock would pass its bound.
     */
    addStock: {
      access: ['staff', 'admin'],
      params: addStockParams,
      async handler(ctx: Context<StockAddition>): Promise<Product> {
        const { id, amount } = ctx.params;
        const { level } = await this.book.add(id, amount);
        const product = await findProduct(this, id);
        const { quantity, reserved } = level;
        return { ...product, quantity, reservedQuantity: reserved, availableStock: quantity - reserved };
      },
    },

    /** Puts a new product into the catalogue. @throws DuplicateSku */
    create: {
      access: ['staff', 'admin'],
      params: createParams,
      bulkhead,
      async handler(ctx: Context<NewProduct>): Promise<Product> {
        const product = await this.catalog.create(ctx.params);
        this.outbox.wake();
        return product;
      },
    },

    /** Changes a product's name, description or price; what is reserved keeps its price. @throws NotFound */
    update: {
      access: ['staff', 'admin'],
      params: updateParams,
      bulkhead,
      async handler(ctx: Context<ProductChange>): Promise<Product> {
        const product = await this.catalog.update(ctx.params);
        this.outbox.wake();
        return product;
      },
    },

    /** One product. @throws NotFound */
    get: {
      access: ['customer', 'staff', 'admin'],
      params: getParams,
      bulkhead,
      handler(ctx: Context<ProductRequest>): Promise<Product> {
        return findProduct(this, ctx.params.id);
      },
    },

    /** Products by id, a page at a time: hand `next` back as `cursor` while it is not null. */
    list: {
      access: ['customer', 'staff', 'admin'],
      params: listParams,
      bulkhead,
      async handler(ctx: Context<ProductListRequest>): Promise<ProductPage> {
        const { limit = 50, cursor } = ctx.params;
        // To the validator a null is as good as a field left out.
        const query = typeof cursor === 'string' ? { id: { [Op.gt]: idAfter(cursor) } } : {};
        const found = await this.adapter.find({ query, sort: 'id', limit: limit + 1 });
        const items = found.slice(0, limit).map((model) => productOf(model.get({ plain: true })));
        return { items, next: found.length > limit ? cursorAfter((items.at(-1) as Product).id) : null };
      },
    },

    reservations,
    imbalances,
  },

  async started() {
    this.catalog = new ProductStore(this.database.pool);
    this.book = new StockBookStore(this.database.pool, this.broker.metrics, () => this.outbox.wake());
    if (
      readInventorySettings(settingsOf(this.broker).reader).demoCatalog &&
      (await fillDemoCatalog(this.database.pool))
    ) {
      this.logger.info(
        'The inventory was empty: products 1 to 10 are for trying it out (DEMO_CATALOG=false leaves it empty)',
      );
      this.outbox.wake();
    }
  },

  async stopped() {
    await this.book?.drained();
  },
});

async function changeStock(
  book: StockBookStore,
  kind: OrderOperation['kind'],
  { orderId, items }: StockOrder,
): Promise<StockReply> {
  const { success, message, unavailableProducts, held } = await book.order({ kind, orderId, lines: orderLines(items) });
  const reply: StockReply = { success, message, unavailableProducts: [...unavailableProducts] };
  if (held) {
    reply.items = held.productIds.map((productId, i): PricedItem => {
      const price = held.prices[i];
      return { productId, quantity: held.quantities[i] as number, price: moneyToNumber(price as bigint) };
    });
  }
  return reply;
}

async function findProduct({ adapter }: WithReadModel<ProductColumns>, id: number): Promise<Product> {
  const found = await adapter.findById(id);
  if (!found) throw new NotFound(`There is no product ${id}`);
  return productOf(found.get({ plain: true }));
}

function cursorAfter(id: number): string {
  return Buffer.from(`product ${id}`).toString('base64url');
}

function idAfter(cursor: string): number {
  const match = /^product (\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match) return Number(match[1]);
  throw ValidationFailed.of([
    { field: 'cursor', type: 'cursor', message: "The 'cursor' field must be one that a list has answered." },
  ]);
}
