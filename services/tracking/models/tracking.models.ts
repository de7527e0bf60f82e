/** Shipments and their timelines as Sequelize models: the read side of tracking. */
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

/** A row of `tracking.shipment_events`: every entry of a timeline but the first. */
export interface ShipmentEventRow {
  orderId: string;
  seq: number;
  status: string;
  location: string | null;
  details: unknown;
  extra: Record<string, unknown> | null;
  at: Date;
}

export interface TrackingModels {
  Shipment: ModelStatic<Model<ShipmentRow, Partial<ShipmentRow>>>;
  ShipmentEvent: ModelStatic<Model<ShipmentEventRow, Partial<ShipmentEventRow>>>;
}

/** Defines the models on an open database. The tables come from the migrations. */
export function defineTrackingModels(sequelize: Sequelize): TrackingModels {
  const Shipment: TrackingModels['Shipment'] = sequelize.define(
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
  const ShipmentEvent: TrackingModels['ShipmentEvent'] = sequelize.define(
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
  return { Shipment, ShipmentEvent };
}
