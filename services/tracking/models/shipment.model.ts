/** A shipment as it is stored. */
import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';

/** A row of `tracking.shipments`. BIGINT comes from Sequelize as text. */
export interface ShipmentRow {
  orderId: string;
  trackingNumber: string | null;
  /** Null when it was not said. */
  customerId: string | null;
  customerName: string | null;
  deliveryAddress: string | null;
  carrier: string | null;
  status: string;
  seq: number;
  estimatedDelivery: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

export type ShipmentModel = ModelStatic<Model<ShipmentRow, Partial<ShipmentRow>>>;

/** Defines the model; its table is made by the migrations. */
export function defineShipment(sequelize: Sequelize): ShipmentModel {
  return sequelize.define(
    'Shipment',
    {
      orderId: { type: DataTypes.BIGINT, primaryKey: true },
      trackingNumber: DataTypes.UUID,
      customerId: DataTypes.BIGINT,
      customerName: DataTypes.TEXT,
      deliveryAddress: DataTypes.TEXT,
      carrier: DataTypes.TEXT,
      status: DataTypes.TEXT,
      seq: DataTypes.INTEGER,
      estimatedDelivery: DataTypes.DATE,
      createdAt: DataTypes.DATE,
      updatedAt: DataTypes.DATE,
    },
    { schema: 'tracking', tableName: 'shipments', underscored: true, timestamps: false },
  );
}
