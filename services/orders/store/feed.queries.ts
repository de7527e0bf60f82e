/** Reads the feed: every history entry of every order, in an order that never changes and misses no commit. */
import type { Database } from '../../../mixins/database/database.ts';
import { columns, table } from '../../../mixins/database/model.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { FeedModel } from '../models/feed.model.ts';
import { OrderHistoryModel } from '../models/order-history.model.ts';
import { OrderModel } from '../models/order.model.ts';
import type { FeedEntry, FeedPage, FeedPosition } from '../orders.types.ts';

/** How long the feed is kept: streams can be resumed for at least an hour. */
const KEEP_MS = 75 * 60_000;
const PRUNE_AT_MOST = 10_000;
/** The maximum number of entries of a page, unless one transaction wrote more; a page fits into a message between nodes. */
const MAX_ENTRIES = 1_500;
const MAX_TRANSACTIONS = 500;

const FEED = table(FeedModel);
const F = columns(FeedModel, 'f');
const FEED_COLUMN = columns(FeedModel);
const H = columns(OrderHistoryModel, 'h');
const O = columns(OrderModel, 'o');

// Transactions that began later than the oldest running one may commit in any order: they are left for the next page.
const READ = {
  name: 'orders.read-feed',
  text: `
WITH settled AS (
  SELECT f.*, sum(cardinality(${F.orderIds})) OVER (ORDER BY ${F.txid}, ${F.position}) AS entries,
    row_number() OVER (ORDER BY ${F.txid}, ${F.position}) AS nth, count(*) OVER () AS transactions
  FROM (SELECT * FROM ${FEED} f WHERE (${F.txid}, ${F.position}) >= ($1::xid8, $2::bigint)
      AND ${F.txid} < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY ${F.txid}, ${F.position} LIMIT ${MAX_TRANSACTIONS}) f
)
SELECT f.txid::text AS txid, f.position AS position, (extract(epoch FROM f.at) * 1000)::float8 AS "keptAt", l.nth AS line, f.nth AS nth, f.transactions AS transactions,
  ${O.id} AS "orderId", ${O.orderNumber} AS "orderNumber", ${O.customerId} AS "customerId", ${H.seq} AS seq, ${H.event} AS event,
  ${H.fromStatus} AS "from", ${H.toStatus} AS "to", ${H.at} AS at, ${H.actor} AS actor, ${H.detail} AS detail
FROM settled f, unnest(f.order_ids, f.seqs) WITH ORDINALITY AS l (order_id, seq, nth)
  JOIN ${table(OrderHistoryModel)} h ON ${H.orderId} = l.order_id AND ${H.seq} = l.seq
  JOIN ${table(OrderModel)} o ON ${O.id} = l.order_id
WHERE f.nth = 1 OR f.entries <= ${MAX_ENTRIES}
ORDER BY f.txid, f.position, l.nth`,
};

const HEAD = {
  name: 'orders.feed-head',
  text: `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS txid, (extract(epoch FROM now()) * 1000)::float8 AS "keptAt"`,
};

const PRUNE = `DELETE FROM ${FEED} WHERE (${FEED_COLUMN.txid}, ${FEED_COLUMN.position}) IN
  (SELECT ${FEED_COLUMN.txid}, ${FEED_COLUMN.position} FROM ${FEED}
   WHERE ${FEED_COLUMN.at} < now() - ${KEEP_MS} * interval '1 ms' ORDER BY ${FEED_COLUMN.at} LIMIT ${PRUNE_AT_MOST} FOR UPDATE SKIP LOCKED)`;

interface FeedRow extends Omit<FeedEntry, 'orderNumber' | 'at' | 'status' | 'position'> {
  txid: string;
  position: number;
  keptAt: number;
  line: number;
  /** Which transaction of how many that were read: the page is cut short when it has too many entries. */
  nth: number;
  transactions: number;
  orderNumber: string;
  at: Date;
}

export class FeedQueries {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The position after everything that is committed now. */
  async head(): Promise<FeedPosition> {
    const { rows } = await orUnavailable(this.#database.query<{ txid: string; keptAt: number }>(HEAD));
    const { txid, keptAt } = rows[0] as { txid: string; keptAt: number };
    return { txid, position: 0, line: 0, atMs: Math.floor(keptAt) };
  }

  /** The entries after a position, oldest first. `next` is the position after the last one. */
  async after(from: FeedPosition): Promise<FeedPage> {
    const { rows } = await orUnavailable(
      this.#database.query<FeedRow>({ ...READ, values: [from.txid, from.position] }),
    );
    const entries = rows.filter((row) => isAfter(row, from)).map(entryOf);
    const last = rows.at(-1);
    const more = last !== undefined && (last.nth < last.transactions || last.transactions === MAX_TRANSACTIONS);
    return { entries, next: entries.at(-1)?.position ?? from, more };
  }

  /** Deletes a batch of rows that are too old to be resumed from. Returns whether there may be more. */
  async prune(): Promise<boolean> {
    return (await orUnavailable(this.#database.query(PRUNE))).rowCount === PRUNE_AT_MOST;
  }
}

/** The first row of a page may be the one in whose middle the position is. */
const isAfter = (row: FeedRow, from: FeedPosition): boolean =>
  row.txid !== from.txid || row.position !== from.position || row.line > from.line;

function entryOf(row: FeedRow): FeedEntry {
  const { txid, position, keptAt, line, orderId, orderNumber, customerId, seq, event, from, to, at, actor, detail } =
    row;
  return {
    position: { txid, position, line, atMs: Math.floor(keptAt) },
    customerId,
    seq,
    event,
    from,
    to,
    at: at.toISOString(),
    actor,
    detail,
    orderId,
    orderNumber: `ORD-${orderNumber}`,
    status: to,
  };
}
