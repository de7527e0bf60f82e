/** Reads that are not one order: a customer's list, the search over all orders, a history, and what an order waits for. */
import { col, DataTypes, fn, Model, type ModelStatic, Op, type Sequelize, where, type WhereOptions } from 'sequelize';
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import { decodeCursor, encodeCursor } from '../../../mixins/database/cursor.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { isGiven } from '../../../mixins/params/params.ts';
import type {
  HistoryEntryView,
  ListByCustomerParams,
  OrderSummary,
  SearchParams,
  SearchResult,
} from '../orders.types.ts';
import { CustomerLists } from './customer-lists.ts';

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
  id: number;
  orderNumber: string;
  customerId: number;
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
export class OrderQueries {
  readonly #database: Database;
  readonly #orders: ModelStatic<Model>;
  readonly #lists: CustomerLists;

  constructor(database: Database) {
    this.#database = database;
    this.#lists = new CustomerLists(database);
    this.#orders = orderModel(database.sequelize);
  }

  /** A customer's orders, newest first; none of them when the caller is confined to another customer. */
  listByCustomer(
    params: ListByCustomerParams,
    confinedTo: number | null,
  ): Promise<{ items: OrderSummary[]; next: string | null }> {
    return this.#lists.page(params, confinedTo);
  }

  /** Orders that match all that is asked, in the order that is asked; only those the caller is confined to, if it is. */
  async search(params: SearchParams, confinedTo: number | null): Promise<SearchResult> {
    const limit = params.limit ?? DEFAULT_LIMIT;
    const sort = params.sort ?? '-orderDate';
    const descending = sort.startsWith('-');
    const byTotal = sort.endsWith('totalPrice');
    const direction = descending ? 'DESC' : 'ASC';
    const own: WhereOptions[] = confinedTo === null ? [] : [{ customerId: confinedTo }];
    const rows = (await orUnavailable(
      this.#database.search((transaction) =>
        this.#orders.findAll({
          transaction,
          attributes: SUMMARY,
          where: { [Op.and]: [...own, ...this.#conditions(params), ...after(params.cursor, byTotal, descending)] },
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
      ),
    )) as unknown as SummaryRow[];
    const orders = rows.slice(0, limit).map((row) => ({
      orderId: row.id,
      orderNumber: `ORD-${row.orderNumber}`,
      customerId: row.customerId,
      status: row.status,
      totalPrice: row.totalPrice === null ? null : Number(row.totalPrice),
      orderDate: row.orderDate.toISOString(),
    }));
    const last = orders.at(-1);
    const more = rows.length > limit && last !== undefined;
    const place = (order: (typeof orders)[number]) =>
      byTotal ? [order.totalPrice ?? 0, order.orderId] : [order.orderId];
    return { orders, next: more ? encodeCursor(place(last)) : null };
  }

  /** Every transition of an order, oldest first. Empty when there is no such order. */
  async history(id: number): Promise<HistoryEntryView[]> {
    const { rows } = await orUnavailable(this.#database.query({ ...HISTORY, values: [id] }));
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
    if (isGiven(status)) conditions.push({ status });
    if (isGiven(customerId)) conditions.push({ customerId });
    if (isGiven(productId)) conditions.push({ productIds: { [Op.contains]: [productId] } });
    if (isGiven(from)) conditions.push({ orderDate: { [Op.gte]: new Date(from) } });
    if (isGiven(to)) conditions.push({ orderDate: { [Op.lt]: new Date(to) } });
    if (isGiven(minTotal)) conditions.push({ totalPrice: { [Op.gte]: minTotal } });
    if (isGiven(maxTotal)) conditions.push({ totalPrice: { [Op.lte]: maxTotal } });
    if (isGiven(waitingFor)) conditions.push(WAITING[waitingFor]);
    return conditions;
  }
}

function after(cursor: string | undefined, byTotal: boolean, descending: boolean): WhereOptions[] {
  if (!isGiven(cursor)) return [];
  const past = descending ? Op.lt : Op.gt;
  if (!byTotal) return [{ id: { [past]: decodeCursor(cursor, 1)[0] } }];
  const [total, id] = decodeCursor(cursor, 2);
  return [
    {
      [Op.or]: [
        where(TOTAL, { [past]: total }),
        { [Op.and]: [where(TOTAL, { [Op.eq]: total }), { id: { [past]: id } }] },
      ],
    },
  ];
}
