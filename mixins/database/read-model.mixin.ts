/** Reads through moleculer-db: its adapter for a Sequelize model, without any of its generated actions. */
import { createRequire } from 'node:module';
import type { ServiceSchema } from 'moleculer';
import type { Model, ModelStatic, Sequelize } from 'sequelize';
import type { WithDatabase } from './database.mixin.ts';
import type { DeclaredModel } from './model.ts';
import { orUnavailable } from './sql-failure.ts';

/**
 * The methods of the adapter that services use. `query` is Sequelize's `where`; `sort` is an attribute, `-attribute` for
 * descending order. They throw ServiceUnavailable during an outage of the database.
 */
export interface ReadAdapter<Row extends object> {
  findById(id: number): Promise<Row | null>;
  find(filter: { query?: object; sort?: string; limit: number }): Promise<Row[]>;
}

/** What the mixin adds to a service: `this.adapter`, usable from its `started` on. */
export interface WithReadModel<Row extends object> {
  adapter: ReadAdapter<Row>;
}

interface AdapterBase {
  service: WithDatabase & { schema: { model: (sequelize: Sequelize) => ModelStatic<Model> }; model: unknown };
  db: Sequelize;
  model: ModelStatic<Model>;
  findById(id: number): Promise<Model | null>;
  find(filter: object): Promise<Model[]>;
}

// Both packages are CommonJS, but their types declare an ES default export.
const load = createRequire(import.meta.url);
const DbService = load('moleculer-db') as Partial<ServiceSchema>;
const SequelizeAdapter = load('moleculer-db-adapter-sequelize') as new () => AdapterBase;

/**
 * Uses the service's own Sequelize, which it looks up in `connect`: Moleculer would deep-clone one passed in the schema.
 * It neither creates tables (migrations do) nor closes the Sequelize that it did not open.
 */
class ReadModelAdapter extends SequelizeAdapter {
  connect(): Promise<void> {
    this.db = this.service.database.sequelize;
    this.model = this.service.schema.model(this.db);
    this.service.model = this.model;
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  override async findById(id: number): Promise<never> {
    return ((await orUnavailable(super.findById(id)))?.get({ plain: true }) ?? null) as never;
  }

  override async find(filter: object): Promise<never[]> {
    return (await orUnavailable(super.find(filter))).map((model) => model.get({ plain: true }) as never);
  }
}

/**
 * The read side of a service. It must precede `databaseMixin` in `mixins`, because Moleculer starts the last mixin first.
 * No action of moleculer-db is published: writes go through the domain, reads through declared actions.
 */
export function readModelMixin(declared: DeclaredModel): Partial<ServiceSchema> {
  return {
    mixins: [DbService],
    adapter: new ReadModelAdapter(),
    model: (sequelize: Sequelize) => declared.on(sequelize),
    actions: {
      find: false,
      count: false,
      list: false,
      create: false,
      insert: false,
      get: false,
      update: false,
      remove: false,
    },
  } as Partial<ServiceSchema>;
}
