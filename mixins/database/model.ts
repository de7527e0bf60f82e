/** Models: the one declaration of a table, from which follow its Sequelize model, the names in SQL, and the rows' types. */
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

/** A column as Sequelize is told of it, with the type of its values here. It is NOT NULL unless it says otherwise. */
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
/** TEXT; `Value` narrows it to the texts that occur. */
export const text = <Value extends string = string>(): Column<Value> => column(DataTypes.TEXT);
/** UUID. */
export const uuid = (): Column<string> => column(DataTypes.UUID);
/** BOOLEAN. */
export const boolean = (): Column<boolean> => column(DataTypes.BOOLEAN);
/** NUMERIC(12,2), as text. */
export const money = (): Column<string> => column(DataTypes.DECIMAL(12, 2));
/** TIMESTAMPTZ. */
export const time = (): Column<Date> => column(DataTypes.DATE);
/** JSON, which keeps its text as it was written. */
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

/** The same column, whose value the database makes where none is given: an identity, or a default. */
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

/** A row as the models say: attributes and the types of their values. */
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

/** The declaration of a table, which migrations make. Attributes are in camelCase, their columns in snake_case. */
export class DeclaredModel<Columns extends Record<string, Column> = Record<string, Column>> {
  readonly schema: string;
  readonly tableName: string;
  readonly attributes: Columns;

  constructor(schema: string, tableName: string, attributes: Columns) {
    this.schema = schema;
    this.tableName = tableName;
    this.attributes = attributes;
  }

  /** The Sequelize model on an open database; the same one each time. */
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
    // Sequelize gives a table without a key one of its own.
    if (!Object.values(this.attributes).some(({ primaryKey }) => primaryKey)) model.removeAttribute('id');
    return model;
  }
}

/** The quoted name of a model's table, with its schema. */
export const table = ({ schema, tableName }: DeclaredModel): string => `${quoted(schema)}.${quoted(tableName)}`;

/** The name of a model's column, where Sequelize quotes it. */
export const columnOf = <Declared extends DeclaredModel>(
  _declared: Declared,
  attribute: keyof Declared['attributes'] & string,
): string => columnName(attribute);

/**
 * The quoted names of a model's columns, by attribute, for the texts of statements; with `alias`, of the table of that
 * alias. Renaming a column in the model so renames it in every statement.
 */
export function columns<Declared extends DeclaredModel>(declared: Declared, alias?: string): Names<Declared> {
  const prefix = alias === undefined ? '' : `${alias}.`;
  const names = Object.keys(declared.attributes).map((attribute) => [
    attribute,
    prefix + quoted(columnName(attribute)),
  ]);
  return Object.fromEntries(names) as Names<Declared>;
}

/** Some columns of a model for a SELECT or RETURNING, each named by its attribute: the rows are `Pick<RowOf<…>, …>`. */
export function selected<Declared extends DeclaredModel>(
  declared: Declared,
  attributes: readonly (keyof Declared['attributes'] & string)[],
  alias?: string,
): string {
  const names = columns(declared, alias);
  return attributes.map((attribute) => `${names[attribute]} AS ${quoted(attribute)}`).join(', ');
}
