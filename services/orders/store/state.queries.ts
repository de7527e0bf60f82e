/** Reads over all orders: the state of each, and the backlog of owed work. */
import { Op } from 'sequelize';
import type { Peer } from '../../../machines/order/order.words.ts';
import type { OrderRecord } from '../../../machines/reconciliation/books.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { type KeysetRequest, keysetOptions } from '../../../mixins/database/keyset.ts';
import { columns, selected, table, type TableModel } from '../../../mixins/database/model.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { type OrderColumns, OrderModel } from '../models/order.model.ts';
import { owedIn, type StateColumns } from './stored-state.ts';

// biome-ignore format: one line a group
const STATE = ['id', 'status', 'stockState', 'shipmentState', 'machineVersion', 'seq', 'trackingNumber', 'productIds',
  'quantities', 'dueAt', 'parkedAt'] as const;
type StateRow = Pick<OrderColumns, (typeof STATE)[number]>;

/** The owed work of all orders. */
export interface Backlog {
  /** The number of orders that wait for each peer. */
  owed: Record<Peer, number>;
  /** The number of orders that wait for an operator. */
  parked: number;
  /** How long the longest-waiting order has waited, in seconds. */
  oldestWaitS: number;
}

interface Group extends StateColumns {
  parked: boolean;
  orders: number;
  waitedS: number | null;
}

const ORDER = columns(OrderModel);
// Each condition has a partial index, so orders at rest, nearly all of them, are not read.
const OWED = {
  name: 'orders.owed',
  text: `SELECT ${selected(OrderModel, ['status', 'stockState', 'shipmentState', 'machineVersion'])},
      ${ORDER.parkedAt} IS NOT NULL AS parked, count(*)::int AS orders,
      extract(epoch FROM now() - min(${ORDER.waitingSince}))::float8 AS "waitedS"
    FROM ${table(OrderModel)} WHERE ${ORDER.dueAt} IS NOT NULL OR ${ORDER.parkedAt} IS NOT NULL GROUP BY 1, 2, 3, 4, 5`,
};

const UNDELIVERED_PAGE = 500;

export class StateQueries {
  readonly #database: Database;
  readonly #orders: TableModel<typeof OrderModel>;

  constructor(database: Database) {
    this.#database = database;
    this.#orders = database.model(OrderModel);
  }

  /** The orders of one page, by id. @throws ServiceUnavailable */
  async page(request: KeysetRequest): Promise<OrderRecord[]> {
    const options = { attributes: [...STATE], ...keysetOptions('id', request), raw: true };
    const rows = (await orUnavailable(this.#orders.findAll(options))) as unknown as StateRow[];
    return rows.map(recordOf);
  }

  /** Up to 500 ids of orders whose parcel may still be delivered, after an id. @throws ServiceUnavailable */
  async undelivered(after: number): Promise<number[]> {
    const where = { status: ['CONFIRMED', 'SHIPPED'], id: { [Op.gt]: after } };
    const options = { attributes: ['id'], where, order: ['id'], limit: UNDELIVERED_PAGE, raw: true };
    const rows = await orUnavailable(this.#orders.findAll(options));
    return (rows as unknown as Pick<OrderColumns, 'id'>[]).map(({ id }) => id);
  }

  /** The current backlog. @throws ServiceUnavailable */
  async backlog(): Promise<Backlog> {
    const { rows } = await orUnavailable(this.#database.query<Group>(OWED));
    const backlog: Backlog = { owed: { inventory: 0, tracking: 0 }, parked: 0, oldestWaitS: 0 };
    for (const group of rows) {
      backlog.oldestWaitS = Math.max(backlog.oldestWaitS, group.waitedS ?? 0);
      // Like `explain`: an order waits for the peer of its first owed effect.
      const waitingFor = owedIn(group)[0]?.from;
      if (group.parked) backlog.parked += group.orders;
      else if (waitingFor) backlog.owed[waitingFor] += group.orders;
    }
    return backlog;
  }
}

function recordOf(row: StateRow): OrderRecord {
  const owes = owedIn(row).map((owed) => owed.effect);
  const planned = row.dueAt !== null || row.parkedAt !== null;
  return {
    orderId: row.id,
    status: row.status,
    stock: row.stockState,
    shipment: row.shipmentState,
    owes,
    planned,
    atRest: owes.length === 0 && !planned,
    items: row.productIds.map((productId, i) => ({ productId, quantity: row.quantities[i] as number })),
    trackingNumber: row.trackingNumber,
    seq: row.seq,
  };
}
