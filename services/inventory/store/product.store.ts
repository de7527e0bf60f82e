/** Writes to the catalogue, each with its event in one commit. */
import { literal, type Transaction } from 'sequelize';
import { counted } from '../../../machines/stock/stock.count.ts';
import { DuplicateSku } from '../../../machines/stock/stock.failures.ts';
import { NotFound } from '../../../machines/shared/failure.ts';
import { formatMoney, parseMoney } from '../../../machines/shared/money.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { columns, type TableModel } from '../../../mixins/database/model.ts';
import { isDuplicate, orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { isGiven } from '../../../mixins/params/params.ts';
import type { NewProduct, ProductChange, StockCount } from '../inventory.types.ts';
import { type ProductColumns, ProductModel } from '../models/product.model.ts';
import { StockCountModel } from '../models/stock-count.model.ts';
import { tellChanged } from './stock-changed.sql.ts';

const { revision } = columns(ProductModel);

/** Formats a price for NUMERIC; the caller has checked that it is a valid amount. */
const decimal = (price: number): string => formatMoney(parseMoney(String(price)));

const noSuchProduct = (id: number): NotFound => new NotFound(`Product ${id} does not exist`);

/** The catalogue of products. */
export class ProductStore {
  readonly #database: Database;
  readonly #products: TableModel<typeof ProductModel>;
  readonly #counts: TableModel<typeof StockCountModel>;
  readonly #eventsWritten: () => void;

  /** Calls `eventsWritten` after each commit, which has written an event to the outbox. */
  constructor(database: Database, eventsWritten: () => void) {
    this.#database = database;
    this.#products = database.model(ProductModel);
    this.#counts = database.model(StockCountModel);
    this.#eventsWritten = eventsWritten;
  }

  /** Adds a product. @throws DuplicateSku when another product has the SKU: nothing is written */
  async create({ sku, name, description, price, initialStock }: NewProduct): Promise<ProductColumns> {
    const entry = { sku, name, description: description ?? null, price: decimal(price), quantity: initialStock ?? 0 };
    try {
      return await this.#write(async (transaction, at) => {
        const product = await this.#products.create({ ...entry, createdAt: at, updatedAt: at }, { transaction });
        return product.get({ plain: true });
      });
    } catch (error) {
      if (isDuplicate(error)) throw new DuplicateSku(`A product with the SKU ${sku} already exists`, { sku });
      throw error;
    }
  }

  /**
   * Changes the given fields only. Null counts as not given, except that it clears a description. Reservations keep their
   * prices. @throws NotFound
   */
  update({ id, name, description, price }: ProductChange): Promise<ProductColumns> {
    const change = {
      ...(isGiven(name) && { name }),
      ...(description !== undefined && { description }),
      ...(isGiven(price) && { price: decimal(price) }),
      revision: literal(`${revision} + 1`),
    };
    return this.#write(async (transaction, updatedAt) => {
      const options = { where: { id }, returning: true, transaction } as const;
      const [, [product]] = await this.#products.update({ ...change, updatedAt }, options);
      if (!product) throw noSuchProduct(id);
      return product.get({ plain: true });
    });
  }

  /** Sets the stock to what was counted, and keeps why and by whom. @throws NotFound, StockBelowReserved */
  setStock({ id, quantity, reason }: StockCount, countedBy: string): Promise<ProductColumns> {
    return this.#write(async (transaction, countedAt) => {
      const product = await this.#products.findByPk(id, { transaction, lock: transaction.LOCK.UPDATE });
      if (!product) throw noSuchProduct(id);
      const before = { ...product.get({ plain: true }) };
      const level = {
        productId: id,
        price: parseMoney(before.price),
        quantity: before.quantity,
        reserved: before.reservedQuantity,
      };
      const change = {
        quantity: counted(level, quantity).quantity,
        revision: before.revision + 1,
        updatedAt: countedAt,
      };
      await product.update(change, { transaction });
      const count = { productId: id, quantityBefore: before.quantity, quantity, reason, countedBy, countedAt };
      await this.#counts.create(count, { transaction });
      return { ...before, ...change };
    });
  }

  /** Writes a product and its event in one commit. */
  async #write(work: (transaction: Transaction, at: Date) => Promise<ProductColumns>): Promise<ProductColumns> {
    const at = new Date();
    const product = await orUnavailable(
      this.#database.write(async (transaction) => {
        const written = await work(transaction, at);
        await tellChanged(this.#database.sequelize, transaction, [written.id], at);
        return written;
      }),
    );
    this.#eventsWritten();
    return product;
  }
}
