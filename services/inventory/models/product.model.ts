/** A product as it is stored. */
import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';

/** A row of `inventory.products`. BIGINT and NUMERIC come as text from Sequelize, BIGINT as number from the pg pool. */
export interface ProductColumns {
  id: number | string;
  sku: string;
  name: string;
  description: string | null;
  price: string;
  quantity: number | string;
  reserved_quantity: number | string;
}

/** Defines the model; its table is made by the migrations. */
export function defineProduct(sequelize: Sequelize): ModelStatic<Model<ProductColumns, ProductColumns>> {
  return sequelize.define<Model<ProductColumns, ProductColumns>>(
    'product',
    {
      id: { type: DataTypes.BIGINT, primaryKey: true },
      sku: DataTypes.TEXT,
      name: DataTypes.TEXT,
      description: DataTypes.TEXT,
      price: DataTypes.DECIMAL(12, 2),
      quantity: DataTypes.BIGINT,
      reserved_quantity: DataTypes.BIGINT,
    },
    { schema: 'inventory', tableName: 'products' },
  );
}
