/** The models and the tables that the migrations make: each service's must say the same of every column and foreign key. */
import { expect, test } from '@jest/globals';
import type { DataTypes, Sequelize } from 'sequelize';
import { openDatabase } from '../../mixins/database/database.ts';
import { migrate, type Migration, migrationModel } from '../../mixins/database/migrations.ts';
import type { DeclaredModel } from '../../mixins/database/model.ts';
import { eventModels } from '../../mixins/events/events.models.ts';
import { migrations as inventoryMigrations } from '../../services/inventory/migrations/index.ts';
import { ProductModel } from '../../services/inventory/models/product.model.ts';
import { ReservationModel } from '../../services/inventory/models/reservation.model.ts';
import { StockCountModel } from '../../services/inventory/models/stock-count.model.ts';
import { migrations as ordersMigrations } from '../../services/orders/migrations/index.ts';
import { FeedModel } from '../../services/orders/models/feed.model.ts';
import { IdempotencyKeyModel } from '../../services/orders/models/idempotency-key.model.ts';
import { OrderHistoryModel } from '../../services/orders/models/order-history.model.ts';
import { OrderModel } from '../../services/orders/models/order.model.ts';
import { migrations as trackingMigrations } from '../../services/tracking/migrations/index.ts';
import { ShipmentEventModel } from '../../services/tracking/models/shipment-event.model.ts';
import { ShipmentModel } from '../../services/tracking/models/shipment.model.ts';
import { afterTheTest } from '../support/endings.ts';
import { createDatabase, query } from '../support/postgres.ts';

interface Service {
  schema: string;
  migrations: readonly Migration[];
  models: readonly DeclaredModel[];
}

const SERVICES: readonly Service[] = [
  {
    schema: 'orders',
    migrations: ordersMigrations,
    models: [OrderModel, OrderHistoryModel, IdempotencyKeyModel, FeedModel],
  },
  { schema: 'inventory', migrations: inventoryMigrations, models: [ProductModel, ReservationModel, StockCountModel] },
  { schema: 'tracking', migrations: trackingMigrations, models: [ShipmentModel, ShipmentEventModel] },
];

/** `orders.id bigint not null`, for every column there is. */
const COLUMNS = `
SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || CASE WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
               THEN ' key' ELSE '' END AS said
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname = $1 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`;

/** `order_history.order_id to orders.id`, for every foreign key that holds for all rows. */
const REFERENCES = `
SELECT c.conrelid::regclass || '.' || a.attname || ' to ' || c.confrelid::regclass || '.' || b.attname AS said
  FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
  JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = ANY (c.confkey)
 WHERE c.contype = 'f' AND c.convalidated AND c.connamespace = $1::regnamespace`;

/** How Sequelize and PostgreSQL call the same type. */
const sqlType = (type: DataTypes.AbstractDataType | string): string =>
  (typeof type === 'string' ? type : type.toSql()).toLowerCase().replace('decimal', 'numeric');

function columnsOf(model: DeclaredModel, sequelize: Sequelize): string[] {
  return Object.values(model.on(sequelize).rawAttributes).map(({ field, type, allowNull, primaryKey }) => {
    const name = `${model.tableName}.${field} ${sqlType(type as DataTypes.AbstractDataType | string)}`;
    return `${name}${allowNull ? '' : ' not null'}${primaryKey ? ' key' : ''}`;
  });
}

function referencesOf(model: DeclaredModel, sequelize: Sequelize): string[] {
  return Object.values(model.on(sequelize).rawAttributes).flatMap(({ field, references }) => {
    if (typeof references !== 'object') return [];
    const { schema, tableName } = references.model as { schema: string; tableName: string };
    return `${model.schema}.${model.tableName}.${field} to ${schema}.${tableName}.${references.key}`;
  });
}

test.each(SERVICES)('the models of $schema match its tables', async ({ schema, migrations, models }) => {
  const url = await createDatabase();
  const database = openDatabase(url, schema, 2);
  afterTheTest(() => database.close());
  await migrate(database, migrations);
  const all = [...models, ...eventModels(schema), migrationModel(schema)];
  const said = async (sql: string): Promise<string[]> =>
    (await query<{ said: string }>(url, sql, [schema])).map((row) => row.said).toSorted();
  expect(all.flatMap((model) => columnsOf(model, database.sequelize)).toSorted()).toEqual(await said(COLUMNS));
  expect(all.flatMap((model) => referencesOf(model, database.sequelize)).toSorted()).toEqual(await said(REFERENCES));
});
