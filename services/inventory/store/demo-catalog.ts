/** Ten products for whoever tries the program out. */
import { QueryTypes, type Sequelize, type Transaction } from 'sequelize';
import type { Database } from '../../../mixins/database/database.ts';
import { TELL_CHANGED } from './product.store.ts';

const PRODUCTS: readonly [sku: string, name: string, description: string, price: string, stock: number][] = [
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

/**
 * Fills an inventory that has never had a product with products 1 to 10; the next one created is 11. Any number of
 * nodes may do this at once. Answers whether it wrote.
 */
export async function fillDemoCatalog({ sequelize }: Database): Promise<boolean> {
  if (await hasProducts(sequelize)) return false;
  return sequelize.transaction(async (transaction) => {
    // Keeps out both the other nodes that fill and whoever creates a product meanwhile.
    await sequelize.query('LOCK TABLE inventory.products IN SHARE ROW EXCLUSIVE MODE', { transaction });
    if (await hasProducts(sequelize, transaction)) return false;
    await insertProducts(sequelize, transaction);
    return true;
  });
}

async function hasProducts(sequelize: Sequelize, transaction: Transaction | null = null): Promise<boolean> {
  const options = { type: QueryTypes.SELECT, transaction } as const;
  return (await sequelize.query('SELECT id FROM inventory.products LIMIT 1', options)).length > 0;
}

async function insertProducts(sequelize: Sequelize, transaction: Transaction): Promise<void> {
  await sequelize.query(
    `WITH changed AS (
       INSERT INTO inventory.products (id, sku, name, description, price, quantity)
       SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::bigint[])
       RETURNING *
     ) ${TELL_CHANGED}`,
    {
      bind: [
        new Date().toISOString(),
        PRODUCTS.map((_, index) => index + 1),
        ...[0, 1, 2, 3, 4].map((column) => PRODUCTS.map((product) => product[column])),
      ],
      transaction,
    },
  );
  const setNext = `SELECT setval(pg_get_serial_sequence('inventory.products', 'id'), $1)`;
  await sequelize.query(setNext, { bind: [PRODUCTS.length], transaction });
}
