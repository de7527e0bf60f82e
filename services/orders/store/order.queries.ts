/** Reads that are not one order: a customer's list, the search over all orders, a history, and what an order waits for. */
import { col, DataTypes, fn, Model, type ModelStatic, Op, type Sequelize, where, type WhereOptions } from 'sequelize';
import { ValidationFailed } from '../../../machines/errors.ts';
import type { OrderStatus } from '../../../machines/order.machine.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import type {
  HistoryEntryView,
  ListByCustomerParams,
  OrderSummary,
  SearchParams,
  SearchResult,
} from '../orders.types.ts';

/** The bookkeeping of what is owed for an order, as its row has it. */
export interface WorkRow {
  status: OrderStatus;
  owner: string | null;
  dueAt: Date | null;
  deadlineAt: Date;
  parkedAt: Date | null;
  waitingSince: Date | null;
  attempt: number;
  lastError: string | null;
}

interface SummaryRow {
  id: string;
  orderNumber: string;
  customerId: string;
  status: OrderStatus;
  totalPrice: string | null;
  orderDate: Date;
}

const SUMMARY = ['id', 'orderNumber', 'customerId', 'status', 'totalPrice', 'orderDate'];

/** The columns of orders.orders that reads use. Writes are statements of their own. */
function orderModel(sequelize: Sequelize): ModelStatic<Model> {
  return sequelize.define(
    'orders',
    {
      id: { type: DataTypes.BIGINT, primaryKey: true },
      orderNumber: DataTypes.UUID,
      customerId: DataTypes.BIGINT,
      status: DataTypes.TEXT,
      stockState: DataTypes.TEXT,
      shipmentState: DataTypes.TEXT,
      productIds: DataTypes.ARRAY(DataTypes.BIGINT),
      totalPrice: DataTypes.DECIMAL(12, 2),
      orderDate: DataTypes.DATE,
      owner: DataTypes.TEXT,
      dueAt: DataTypes.DATE,
      deadlineAt: DataTypes.DATE,
      parkedAt: DataTypes.DATE,
      waitingSince: DataTypes.DATE,
      attempt: DataTypes.INTEGER,
      lastError: DataTypes.TEXT,
    },
    { schema: 'orders', tableName: 'orders' },
  );
}

const LIST = {
  name: 'orders.list-by-customer',
  text: `SELECT id, order_number, status, total_price::float8, (extract(epoch FROM order_date) * 1000)::float8 AS order_date
    FROM orders.orders WHERE customer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
};
const HISTORY = {
  name: 'orders.history',
  text: `SELECT seq, event, from_status, to_status, (extract(epoch FROM at) * 1000)::float8 AS at, detail
    FROM orders.order_history WHERE order_id = $1 ORDER BY seq`,
};

const WAITING: Record<'inventory' | 'tracking', WhereOptions> = {
  inventory: { stockState: ['reserving', 'consuming', 'releasing'] },
  tracking: { shipmentState: ['creating', 'voiding'] },
};

// Among totals, an order that has none yet counts as nothing.
const TOTAL = fn('coalesce', col('total_price'), 0);

const DEFAULT_LIMIT = 50;

const encode = (cursor: unknown[]): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** The values behind a cursor of `length` parts. @throws ValidationFailed for a text that is not one of ours. */
function decode(cursor: string, length: number): number[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const valid = Array.isArray(parts) && parts.length === length && parts.every((part) => Number.isFinite(part));
    if (valid) return parts as number[];
  } catch {
    // Falls through to the one answer for every text that is not a cursor.
  }
  throw ValidationFailed.of([
    { field: 'cursor', type: 'cursor', message: 'Give the cursor of the page before, or none for the first page' },
  ]);
}

export class OrderQueries {
  readonly #database: Database;
  readonly #orders: ModelStatic<Model>;

  constructor(database: Database) {
    this.#database = database;
    this.#orders = orderModel(database.sequelize);
  }

  /** A customer's orders, newest first. */
  async listByCustomer(params: ListByCustomerParams): Promise<{ items: OrderSummary[]; next: string | null }> {
    const limit = params.limit ?? DEFAULT_LIMIT;
    const before = params.cursor === undefined ? Number.MAX_SAFE_INTEGER : decode(params.cursor, 1)[0];
    const { rows } = await orUnavailable(
      this.#database.pool.query({ ...LIST, values: [params.customerId, before, limit + 1] }),
    );
    const items = rows.slice(0, limit).map((row) => ({
      orderId: row.id as number,
      orderNumber: `ORD-${row.order_number}`,
      status: row.status as OrderStatus,
      totalPrice: row.total_price as number | null,
      orderDate: new Date(row.order_date as number).toISOString(),
    }));
    return { items, next: rows.length > limit ? encode([items.at(-1)?.orderId]) : null };
  }

  /** Orders that match all that is asked, in the order that is asked. */
  async search(params: SearchParams): Promise<SearchResult> {
    const limit = params.limit ?? DEFAULT_LIMIT;
    const sort = params.sort ?? '-orderDate';
    const descending = sort.startsWith('-');
    const byTotal = sort.endsWith('totalPrice');
    const direction = descending ? 'DESC' : 'ASC';
    const rows = (await orUnavailable(
      this.#orders.findAll({
        attributes: SUMMARY,
        where: { [Op.and]: [...this.#conditions(params), ...after(params.cursor, byTotal, descending)] },
        // Ids grow with time, so the order of ids is the order of placing.
        order: byTotal
          ? [
              [TOTAL, direction],
              ['id', direction],
            ]
          : [['id', direction]],
        limit: limit + 1,
        raw: true,
      }),
    )) as unknown as SummaryRow[];
    const orders = rows.slice(0, limit).map((row) => ({
      orderId: Number(row.id),
      orderNumber: `ORD-${row.orderNumber}`,
      customerId: Number(row.customerId),
      status: row.status,
      totalPrice: row.totalPrice === null ? null : Number(row.totalPrice),
      orderDate: row.orderDate.toISOString(),
    }));
    const last = orders.at(-1);
    const more = rows.length > limit && last !== undefined;
    return { orders, next: more ? encode(byTotal ? [last.totalPrice ?? 0, last.orderId] : [last.orderId]) : null };
  }

  /** Every transition of an order, oldest first. Empty when there is no such order. */
  async history(id: number): Promise<HistoryEntryView[]> {
    const { rows } = await orUnavailable(this.#database.pool.query({ ...HISTORY, values: [id] }));
    return rows.map((row) => ({
      seq: row.seq as number,
      event: row.event as string,
      from: row.from_status as OrderStatus | null,
      to: row.to_status as OrderStatus,
      at: new Date(row.at as number).toISOString(),
      detail: row.detail as Record<string, unknown> | null,
    }));
  }

  /** What is owed for an order, and how it went so far. */
  async work(id: number): Promise<WorkRow | undefined> {
    const attributes = ['status', 'owner', 'dueAt', 'deadlineAt', 'parkedAt', 'waitingSince', 'attempt', 'lastError'];
    const row = await orUnavailable(this.#orders.findOne({ attributes, where: { id }, raw: true }));
    return (row ?? undefined) as WorkRow | undefined;
  }

  #conditions(params: SearchParams): WhereOptions[] {
    const { status, customerId, productId, from, to, minTotal, maxTotal, waitingFor } = params;
    const conditions: WhereOptions[] = [];
    if (status !== undefined) conditions.push({ status });
    if (customerId !== undefined) conditions.push({ customerId });
    if (productId !== undefined) conditions.push({ productIds: { [Op.contains]: [productId] } });
    if (from !== undefined) conditions.push({ orderDate: { [Op.gte]: new Date(from) } });
    if (to !== undefined) conditions.push({ orderDate: { [Op.lt]: new Date(to) } });
    if (minTotal !== undefined) conditions.push({ totalPrice: { [Op.gte]: minTotal } });
    if (maxTotal !== undefined) conditions.push({ totalPrice: { [Op.lte]: maxTotal } });
    if (waitingFor !== undefined) conditions.push(WAITING[waitingFor]);
    return conditions;
  }
}

function after(cursor: string | undefined, byTotal: boolean, descending: boolean): WhereOptions[] {
  if (cursor === undefined) return [];
  const past = descending ? Op.lt : Op.gt;
  if (!byTotal) return [{ id: { [past]: decode(cursor, 1)[0] } }];
  const [total, id] = decode(cursor, 2);
  return [
    {
      [Op.or]: [
        where(TOTAL, { [past]: total }),
        { [Op.and]: [where(TOTAL, { [Op.eq]: total }), { id: { [past]: id } }] },
      ],
    },
  ];
}
