/** A reservation as it is stored: one row an order, its lines side by side in arrays. */
import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import type { ReservationStatus } from '../../../machines/stock/stock.book.ts';

/** A row of `inventory.reservations`, as far as it is read. BIGINT comes as text from Sequelize. */
export interface ReservationColumns {
  order_id: number | string;
  status: ReservationStatus;
  product_ids: (number | string)[];
  quantities: (number | string)[];
}

/** Defines the model; its table is made by the migrations. */
export function defineReservation(sequelize: Sequelize): ModelStatic<Model<ReservationColumns, ReservationColumns>> {
  return sequelize.define<Model<ReservationColumns, ReservationColumns>>(
    'reservation',
    {
      order_id: { type: DataTypes.BIGINT, primaryKey: true },
      status: DataTypes.TEXT,
      product_ids: DataTypes.ARRAY(DataTypes.BIGINT),
      quantities: DataTypes.ARRAY(DataTypes.BIGINT),
    },
    { schema: 'inventory', tableName: 'reservations' },
  );
}
