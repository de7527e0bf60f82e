/** An entry of a shipment's timeline as it is stored. */
import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';

/** A row of `tracking.shipment_events`: every entry of a timeline but the first. BIGINT comes from Sequelize as text. */
export interface ShipmentEventRow {
  orderId: string;
  seq: number;
  status: string;
  location: string | null;
  details: unknown;
  extra: Record<string, unknown> | null;
  at: Date;
}

export type ShipmentEventModel = ModelStatic<Model<ShipmentEventRow, Partial<ShipmentEventRow>>>;

/** Defines the model; its table is made by the migrations. */
export function defineShipmentEvent(sequelize: Sequelize): ShipmentEventModel {
  return sequelize.define(
    'ShipmentEvent',
    {
      orderId: { type: DataTypes.BIGINT, primaryKey: true },
      seq: { type: DataTypes.INTEGER, primaryKey: true },
      status: DataTypes.TEXT,
      location: DataTypes.TEXT,
      details: DataTypes.JSONB,
      extra: DataTypes.JSONB,
      at: DataTypes.DATE,
    },
    { schema: 'tracking', tableName: 'shipment_events', underscored: true, timestamps: false },
  );
}
