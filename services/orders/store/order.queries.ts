/** The reads of orders other than a single order: customer lists, search, history, and owed work. */
import { col, fn, Op, where, type WhereOptions } from 'sequelize';
import { statesOwing } from '../../../machines/order/order.chart.ts';
import type { Peer } from '../../../machines/order/order.words.ts';
import { idOf } from '../../../machines/shared/ids.ts';
import { decodeCursor, encodeCursor } from '../../../mixins/database/cursor.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { columnOf, type TableModel } from '../../../mixins/database/model.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { isGiven } from '../../../mixins/params/params.ts';
import { type OrderColumns, OrderModel } from '../models/order.model.ts';
import { type OrderHistoryColumns, OrderHistoryModel } from '../models/order-history.model.ts';
import type {
  HistoryEntryView,
  ListByCustomerParams,
  OrderSummary,
  SearchParams,
  SearchResult,
} from '../orders.types.ts';
import { CustomerLists } from './customer-lists.ts';

const WORK = ['status', 'owner', 'dueAt', 'deadlineAt', 'parkedAt', 'waitingSince', 'attempt', 'lastError'] as const;
/** The columns about an order's owed work. */
export type WorkRow = Pick<OrderColumns, (typeof WORK)[number]>;

const SUMMARY = ['id', 'orderNumber', 'customerId', 'status', 'totalPrice', 'orderDate'] as const;
type SummaryRow = Pick<OrderColumns, (typeof SUMMARY)[number]>;

const WAITING: Record<Peer | 'operator', WhereOptions> = {
  inventory: waiting('inventory'),
  tracking: waiting('tracking'),
  operator: { parkedAt: { [Op.ne]: null } },
};

// When sorting by total, an order without one counts as zero.
const TOTAL = fn('coalesce', col(columnOf(OrderModel, 'totalPrice')), 0);

const DEFAULT_LIMIT = 50;
export class OrderQueries {
  readonly #database: Database;
  readonly #orders: TableModel<typeof OrderModel>;
  readonly #history: TableModel<typeof OrderHistoryModel>;
  readonly #lists: CustomerLists;

  constructor(database: Database) {
    this.#database = database;
    this.#lists = new CustomerLists(database);
    this.#orders = database.model(OrderModel);
    this.#history = database.model(OrderHistoryModel);
  }

  /** A customer's orders, newest first; empty when the caller is confined to another customer. */
  listByCustomer(
    params: ListByCustomerParams,
    confinedTo: number | null,
  ): Promise<{ items: OrderSummary[]; next: string | null }> {
    return this.#lists.page(params, confinedTo);
  }

  /** Orders that match all conditions, sorted as requested; only the caller's own when it is confined to a customer. */
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
          attributes: [...SUMMARY],
          where: { [Op.and]: [...own, ...this.#conditions(params), ...after(params.cursor, byTotal, descending)] },
          // Ids grow with time, so sorting by id sorts by time of placing.
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

  /** Every transition of an order, oldest first. Empty when the order does not exist. */
  async history(id: number): Promise<HistoryEntryView[]> {
    const rows = (await orUnavailable(
      this.#history.findAll({ where: { orderId: id }, order: ['seq'], raw: true }),
    )) as unknown as OrderHistoryColumns[];
    return rows.map(({ seq, event, fromStatus: from, toStatus: to, at, actor, detail }) => ({
      seq,
      event,
      from,
      to,
      at: at.toISOString(),
      actor,
      detail,
    }));
  }

  /** The state of an order's owed work. */
  async work(id: number): Promise<WorkRow | undefined> {
    const row = await orUnavailable(this.#orders.findOne({ attributes: [...WORK], where: { id }, raw: true }));
    return (row ?? undefined) as WorkRow | undefined;
  }

  #conditions(params: SearchParams): WhereOptions[] {
    const { status, q, customerId, productId, from, to, minTotal, maxTotal, waitingFor } = params;
    const conditions: WhereOptions[] = [];
    if (isGiven(status)) conditions.push({ status });
    if (isGiven(q)) conditions.push(named(q));
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

/** The condition for orders that go by this name: each kind of number contains or is an id. */
function named(q: string): WhereOptions {
  const text = q.trim();
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) {
    return { [Op.or]: [{ id: Number(text) }, { productIds: { [Op.contains]: [Number(text)] } }] };
  }
  const uuid = text.slice(4).toLowerCase();
  const id = idOf(uuid);
  if (id === undefined) return NOTHING;
  if (/^ORD-/i.test(text)) return { id, orderNumber: uuid };
  return /^TRK-/i.test(text) ? { id, trackingNumber: `TRK-${uuid}` } : NOTHING;
}

/** Ids are positive. */
const NOTHING: WhereOptions = { id: 0 };

/** The condition for orders that wait for a peer: one of their regions is in a state that owes it work. */
function waiting(peer: Peer): WhereOptions {
  const regions = { stockState: statesOwing('stock', peer), shipmentState: statesOwing('shipment', peer) };
  const owing = Object.entries(regions).filter(([, states]) => states.length > 0);
  return { [Op.or]: owing.map(([region, states]) => ({ [region]: states })) };
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
