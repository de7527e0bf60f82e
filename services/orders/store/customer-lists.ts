/** The lists of customers' orders: one statement reads all pages requested at the same time. */
import type { OrderStatus } from '../../../machines/order/order.words.ts';
import { tokens } from '../../../mixins/database/batch-values.ts';
import { decodeCursor, encodeCursor } from '../../../mixins/database/cursor.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { columns, table } from '../../../mixins/database/model.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { GroupCommit } from '../../../mixins/actor/group-commit.ts';
import { isGiven } from '../../../mixins/params/params.ts';
import { OrderModel } from '../models/order.model.ts';
import type { ListByCustomerParams, OrderSummary } from '../orders.types.ts';

const DEFAULT_LIMIT = 50;
const MAX_ID = Number.MAX_SAFE_INTEGER;
/** The maximum number of pages per statement: enough to share its cost, few enough not to delay the first one. */
const MAX_PAGES = 16;

interface Wanted {
  customerId: number;
  before: number;
  rows: number;
  /** The only customer whose orders may be returned; null for all customers. */
  own: number | null;
}

/** `at` is in Unix milliseconds. */
type Row = [id: number, uuid: string, status: OrderStatus, total: number | null, at: number];

const O = columns(OrderModel, 'o');
const PAGE = columns(OrderModel, 'page');

/** A page is one JSON text, which is several times as fast as fifty separate rows. */
export const PAGES = {
  name: 'orders.customer-lists',
  text: `
SELECT (
  SELECT json_agg(json_build_array(${PAGE.id}, ${PAGE.orderNumber}, ${PAGE.status}, ${PAGE.totalPrice},
      (extract(epoch FROM ${PAGE.orderDate}) * 1000)::bigint))::text
    FROM (SELECT ${O.id}, ${O.orderNumber}, ${O.status}, ${O.totalPrice}, ${O.orderDate} FROM ${table(OrderModel)} o
           WHERE ${O.customerId} = wanted.customer AND (wanted.own IS NULL OR ${O.customerId} = wanted.own)
             AND ${O.id} < wanted.before
           ORDER BY ${O.id} DESC LIMIT wanted.rows) AS page
) AS page
FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[]) WITH ORDINALITY AS wanted (customer, before, rows, own, nth)
ORDER BY nth`,
};

export class CustomerLists {
  readonly #pages: GroupCommit<Wanted, Row[]>;

  constructor(database: Database) {
    this.#pages = new GroupCommit(
      async (wanted) => {
        const values = [
          tokens(wanted.map(({ customerId }) => customerId)),
          tokens(wanted.map(({ before }) => before)),
          tokens(wanted.map(({ rows }) => rows)),
          tokens(wanted.map(({ own }) => own)),
        ];
        const { rows } = await orUnavailable(database.query<{ page: string | null }>({ ...PAGES, values }));
        return rows.map(({ page }) => (page === null ? [] : (JSON.parse(page) as Row[])));
      },
      { name: 'be listed', maxBatch: MAX_PAGES },
    );
  }

  /** A page of a customer's orders, newest first; empty when the caller is confined to another customer. */
  async page(
    params: ListByCustomerParams,
    confinedTo: number | null,
  ): Promise<{ items: OrderSummary[]; next: string | null }> {
    const limit = params.limit ?? DEFAULT_LIMIT;
    const before = isGiven(params.cursor) ? (decodeCursor(params.cursor, 1)[0] as number) : MAX_ID;
    const wanted = { customerId: params.customerId, before, rows: limit + 1, own: confinedTo };
    const rows = await this.#pages.push(wanted);
    const items = rows.slice(0, limit).map(summaryOf);
    const last = items.at(-1);
    return { items, next: rows.length > limit && last ? encodeCursor([last.orderId]) : null };
  }
}

function summaryOf([orderId, uuid, status, totalPrice, at]: Row): OrderSummary {
  return { orderId, orderNumber: `ORD-${uuid}`, status, totalPrice, orderDate: new Date(at).toISOString() };
}
