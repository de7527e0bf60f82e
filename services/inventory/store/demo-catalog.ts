/** The demo catalogue: ten products. */
import type { Transaction } from 'sequelize';
import type { Database } from '../../../mixins/database/database.ts';
import { columnOf, table } from '../../../mixins/database/model.ts';
import { ProductModel } from '../models/product.model.ts';
import { tellChanged } from './stock-changed.sql.ts';

const ENTRIES: readonly [sku: string, name: string, description: string, price: string, stock: number][] = [
  ['TEA-EARL-100', 'Earl Grey tea, 100 g', 'Loose black tea with bergamot', '6.90', 400],
  ['COF-ETH-250', 'Ethiopian coffee, 250 g', 'Whole beans, washed, medium roast', '11.50', 350],
  ['MUG-STO-BLU', 'Stoneware mug, blue', '350 ml, dishwasher safe', '14.00', 250],
  ['POT-IRON-08', 'Cast iron teapot', '0.8 l, enamelled inside', '49.90', 120],
  ['GRI-HAND-01', 'Hand coffee grinder', 'Steel burrs, adjustable', '64.00', 100],
  ['FIL-PAP-100', 'Paper filters, 100 pieces', 'Size 02, unbleached', '3.95', 1000],
  ['KET-GOO-10', 'Gooseneck kettle', '1.0 l, brushed steel', '79.00', 150],
  ['SCA-KIT-02', 'Kitchen scale', '0.1 g steps up to 2 kg, with timer', '34.50', 200],
  ['HON-LIN-500', 'Linden honey, 500 g', 'From one apiary', '8.75', 600],
  ['BIS-ALM-200', 'Almond biscuits, 200 g', 'Baked twice', '4.20', 800],
];

const PRODUCTS = ENTRIES.map(([sku, name, description, price, quantity], index) => ({
  id: index + 1,
  sku,
  name,
  description,
  price,
  quantity,
}));

const SET_NEXT = `SELECT setval(pg_get_serial_sequence('${table(ProductModel)}', '${columnOf(ProductModel, 'id')}'), $1)`;

/**
 * Fills an empty inventory with products 1 to 10; the next product gets id 11. Any number of nodes may call it at once.
 * Returns whether it wrote anything.
 */
export async function fillDemoCatalog(database: Database): Promise<boolean> {
  const { sequelize } = database;
  const products = database.model(ProductModel);
  const isFilled = async (transaction: Transaction | null): Promise<boolean> =>
    (await products.findOne({ attributes: ['id'], transaction })) !== null;
  if (await isFilled(null)) return false;
  return sequelize.transaction(async (transaction) => {
    // Blocks other nodes that fill the catalogue, and calls that create products.
    await sequelize.query(`LOCK TABLE ${table(ProductModel)} IN SHARE ROW EXCLUSIVE MODE`, { transaction });
    if (await isFilled(transaction)) return false;
    await products.bulkCreate(PRODUCTS, { transaction });
    const ids = PRODUCTS.map(({ id }) => id);
    await tellChanged(sequelize, transaction, ids, new Date());
    await sequelize.query(SET_NEXT, { bind: [ids.length], transaction });
    return true;
  });
}
