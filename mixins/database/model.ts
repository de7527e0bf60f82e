/** Models: the single declaration of a table, from which its Sequelize model, its names in SQL and its row types follow. */
import {
  DataTypes,
  literal,
  type Model,
  type ModelAttributeColumnOptions,
  type ModelAttributes,
  type ModelStatic,
  type Sequelize,
} from 'sequelize';

declare const VALUE: unique symbol;

/** The declaration of a column for Sequelize, with the type of its values. NOT NULL unless wrapped in `nullable`. */
export interface Column<Value = unknown> extends ModelAttributeColumnOptions {
  readonly [VALUE]?: Value;
}

const column = <Value>(type: ModelAttributeColumnOptions['type']): Column<Value> => ({ type, allowNull: false });

/** BIGINT; all of ours are below 2^53. */
export const bigint = (): Column<number> => column(DataTypes.BIGINT);
/** INTEGER. */
export const integer = (): Column<number> => column(DataTypes.INTEGER);
/** SMALLINT. */
export const smallint = (): Column<number> => column(DataTypes.SMALLINT);
/** TEXT; `Value` narrows it to its possible values. */
export const text = <Value extends string = string>(): Column<Value> => column(DataTypes.TEXT);
/** UUID. */
export const uuid = (): Column<string> => column(DataTypes.UUID);
/** XID8, a transaction id, as text. */
export const xid8 = (): Column<string> => column('XID8');
/** BOOLEAN. */
export const boolean = (): Column<boolean> => column(DataTypes.BOOLEAN);
/** NUMERIC(12,2), as text. */
export const money = (): Column<string> => column(DataTypes.DECIMAL(12, 2));
/** TIMESTAMPTZ. */
export const time = (): Column<Date> => column(DataTypes.DATE);
/** JSON, which keeps the original text. */
export const json = <Value>(): Column<Value> => column(DataTypes.JSON);
/** JSONB. */
export const jsonb = <Value>(): Column<Value> => column(DataTypes.JSONB);

/** An array of values of a column. */
export const array = <Value>({ type }: Column<Value>): Column<Value[]> =>
  column(DataTypes.ARRAY(type as DataTypes.AbstractDataType));

/** The same column, which may be null. */
export const nullable = <Value>(of: Column<Value>): Column<Value | null> => ({ ...of, allowNull: true });

/** The same column, as the primary key or a part of it. */
export const key = <Value>(of: Column<Value>): Column<Value> => ({ ...of, primaryKey: true });

/** The same column, with a value that the database generates if none is given: an identity or a default. */
export const made = <Value>(of: Column<Value>): Column<Value> =>
  of.primaryKey ? { ...of, autoIncrement: true } : { ...of, defaultValue: literal('DEFAULT') };

/** The same column, as a foreign key to a column of another model. */
export const to = <Value, Columns extends Record<string, Column>>(
  other: DeclaredModel<Columns>,
  attribute: keyof Columns & string,
  of: Column<Value>,
): Column<Value> => ({
  ...of,
  references: { model: { tableName: other.tableName, schema: other.schema }, key: columnName(attribute) },
});

/** The type of a model's rows: its attributes and the types of their values. */
export type RowOf<Declared extends DeclaredModel> =
  Declared extends DeclaredModel<infer Columns>
    ? { -readonly [Name in keyof Columns]: Columns[Name] extends Column<infer Value> ? Value : never }
    : never;

/** A declared model on an open database. */
export type TableModel<Declared extends DeclaredModel> = ModelStatic<Model<RowOf<Declared>, Partial<RowOf<Declared>>>>;

/** The quoted names of a model's columns, by attribute. */
export type Names<Declared extends DeclaredModel> = {
  readonly [Name in keyof Declared['attributes'] & string]: string;
};

const columnName = (attribute: string): string => attribute.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const quoted = (name: string): string => `"${name}"`;

/** The declaration of a table, which migrations create. Attributes are in camelCase, their columns in snake_case. */
export class DeclaredModel<Columns extends Record<string, Column> = Record<string, Column>> {
  readonly schema: string;
  readonly tableName: string;
  readonly attributes: Columns;

  constructor(schema: string, tableName: string, attributes: Columns) {
    this.schema = schema;
    this.tableName = tableName;
    this.attributes = attributes;
  }

  /** The Sequelize model on an open database; always the same instance. */
  on(sequelize: Sequelize): ModelStatic<Model> {
    const name = `${this.schema}.${this.tableName}`;
    if (sequelize.isDefined(name)) return sequelize.model(name);
    const attributes = Object.entries(this.attributes).map(([attribute, given]) => [
      attribute,
      { ...given, field: columnName(attribute) },
    ]);
    const model = sequelize.define(name, Object.fromEntries(attributes) as ModelAttributes, {
      schema: this.schema,
      tableName: this.tableName,
      timestamps: false,
    });
    // Sequelize adds a key `id` to a table without a primary key.
    if (!Object.values(this.attributes).some(({ primaryKey }) => primaryKey)) model.removeAttribute('id');
    return model;
  }
}

/** The quoted name of a model's table, with its schema. */
export const table = ({ schema, tableName }: DeclaredModel): string => `${quoted(schema)}.${quoted(tableName)}`;

/** The unquoted name of a model's column, for places where Sequelize quotes it. */
export const columnOf = <Declared extends DeclaredModel>(
  _declared: Declared,
  attribute: keyof Declared['attributes'] & string,
): string => columnName(attribute);

/**
 * The quoted names of a model's columns by attribute, for SQL texts; with `alias`, prefixed by that table alias. Renaming
 * a column in the model therefore renames it in every statement.
 */
export function columns<Declared extends DeclaredModel>(declared: Declared, alias?: string): Names<Declared> {
  const prefix = alias === undefined ? '' : `${alias}.`;
  const names = Object.keys(declared.attributes).map((attribute) => [
    attribute,
    prefix + quoted(columnName(attribute)),
  ]);
  return Object.fromEntries(names) as Names<Declared>;
}

/** A list of columns for SELECT or RETURNING, each named by its attribute: the rows are `Pick<RowOf<…>, …>`. */
export function selected<Declared extends DeclaredModel>(
  declared: Declared,
  attributes: readonly (keyof Declared['attributes'] & string)[],
  alias?: string,
): string {
  const names = columns(declared, alias);
  return attributes.map((attribute) => `${names[attribute]} AS ${quoted(attribute)}`).join(', ');
}
