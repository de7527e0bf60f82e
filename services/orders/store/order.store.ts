/** The store of orders in PostgreSQL: writes, single reads, leases and idempotency keys. */
import { statesOwing } from '../../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order/order.machine.ts';
import { type Peer, PEERS } from '../../../machines/order/order.words.ts';
import { tokens } from '../../../mixins/database/batch-values.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { columns, table } from '../../../mixins/database/model.ts';
import { isDuplicate, orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { GroupCommit } from '../../../mixins/actor/group-commit.ts';
import { IdempotencyKeyModel } from '../models/idempotency-key.model.ts';
import { OrderModel } from '../models/order.model.ts';
import type { PlacedOrder } from '../orders.types.ts';
import type {
  Claimed,
  Earlier,
  LeaseTerms,
  OrderChange,
  OrderMemory,
  OrderPort,
  OrderWrite,
  Placement,
  Written,
} from './order.port.ts';
import { memoryOf, ORDER_COLUMNS, type OrderRow } from './order.row.ts';
import { writeOrders } from './write-orders.ts';

const ORDERS = table(OrderModel);
const KEYS = table(IdempotencyKeyModel);
const ORDER = columns(OrderModel);
const O = columns(OrderModel, 'o');
const KEY = columns(IdempotencyKeyModel);
const K = columns(IdempotencyKeyModel, 'k');

const READ = {
  name: 'orders.read',
  text: `SELECT ${ORDER_COLUMNS} FROM ${ORDERS} o WHERE ${O.id} = ANY($1::bigint[])`,
};

const READ_OWN = {
  name: 'orders.read-own',
  text: `SELECT ${ORDER_COLUMNS} FROM ${ORDERS} o
    JOIN unnest($1::bigint[], $2::bigint[]) AS asked (id, customer) ON ${O.id} = asked.id AND ${O.customerId} = asked.customer`,
};

const RUNNING = `(${O.owner} IS NOT NULL AND ${O.dueAt} > now()) AS running`;
const EARLIER_BY_KEY = {
  name: 'orders.earlier-by-key',
  text: `SELECT ${ORDER_COLUMNS}, replace(${K.fingerprint}::text, '-', '') AS fingerprint, ${K.answer} AS answer, ${RUNNING}
    FROM ${KEYS} k JOIN ${ORDERS} o ON ${O.id} = ${K.orderId} WHERE ${K.caller} = $1 AND ${K.key} = $2`,
};
const EARLIER_BY_BODY = {
  name: 'orders.earlier-by-body',
  text: `SELECT ${ORDER_COLUMNS}, ${O.fingerprint} AS fingerprint, NULL AS answer, ${RUNNING}
    FROM ${ORDERS} o WHERE ${O.customerId} = $1 AND ${O.fingerprint} = $2 AND ${O.status} = 'PENDING_CHECK'`,
};

const LEASE = `${ORDER.owner} = $1, ${ORDER.dueAt} = now() + $2 * interval '1 ms', ${ORDER.version} = ${O.version} + 1,
      ${ORDER.parkedAt} = NULL`;
const OVERDUE = `(${O.deadlineAt} <= now()) AS overdue`;
/** The states of a row's regions, named as in `owing`. */
const WAITS = `ARRAY['stock ' || ${ORDER.stockState}, 'shipment ' || ${ORDER.shipmentState}]`;
// A node leaves rows of a newer machine version to nodes that know it.
const CLAIM_DUE = {
  name: 'orders.claim-due',
  text: `UPDATE ${ORDERS} o SET ${LEASE}
    FROM (SELECT ${ORDER.id} AS id FROM ${ORDERS} WHERE ${ORDER.dueAt} <= now() AND ${ORDER.machineVersion} <= $4
      AND (NOT ${WAITS} && $5::text[] OR ${WAITS} && $6::text[] OR (${ORDER.status} = 'PENDING_CHECK' AND ${ORDER.deadlineAt} <= now()))
      ORDER BY ${ORDER.dueAt} LIMIT $3 FOR UPDATE SKIP LOCKED) due
    WHERE ${O.id} = due.id RETURNING ${ORDER_COLUMNS}, ${OVERDUE}`,
};
const CLAIM_ONE = {
  name: 'orders.claim-one',
  text: `UPDATE ${ORDERS} o SET ${LEASE}
    WHERE ${O.id} = $3 AND ${O.machineVersion} <= $4 AND (${O.owner} IS NULL OR ${O.dueAt} <= now())
      AND (${O.dueAt} IS NOT NULL OR ${O.parkedAt} IS NOT NULL)
    RETURNING ${ORDER_COLUMNS}, ${OVERDUE}`,
};

const END_LEASES = `UPDATE ${ORDERS} SET ${ORDER.dueAt} = now() WHERE ${ORDER.dueAt} > now() AND ${ORDER.owner} = $1`;

const FORGET_AT_MOST = 1_000;
const FORGET_KEYS = `DELETE FROM ${KEYS} WHERE (${KEY.caller}, ${KEY.key}) IN
  (SELECT ${K.caller}, ${K.key} FROM ${KEYS} k WHERE ${K.restAt} < now() - $1 * interval '1 ms' LIMIT ${FORGET_AT_MOST} FOR UPDATE SKIP LOCKED)`;

// Retried later, when a node that can read the row may have started; until then it does not block other rows.
const SET_ASIDE = {
  name: 'orders.set-aside',
  text: `UPDATE ${ORDERS} o SET ${ORDER.owner} = NULL, ${ORDER.dueAt} = now() + interval '5 minutes',
      ${ORDER.attempt} = ${O.attempt} + 1, ${ORDER.lastError} = $3, ${ORDER.version} = ${O.version} + 1
    WHERE ${O.id} = $1 AND ${O.version} = $2`,
};

/** Names an order of a customer. */
interface Own {
  id: number;
  customerId: number;
}

export interface StoreWatch {
  /** Called after every commit that may have written events to the outbox. */
  wrote(): void;
  /** Called for a due row that cannot be read; it is retried later. */
  unfit(id: number, error: Error): void;
}

/** The store in PostgreSQL. */
export class OrderStore implements OrderPort {
  readonly #database: Database;
  readonly #terms: LeaseTerms;
  readonly #write: GroupCommit<OrderWrite, Written>;
  readonly #read: GroupCommit<number, OrderMemory | Error | undefined>;
  readonly #readOwn: GroupCommit<Own, OrderMemory | Error | undefined>;
  readonly #watch: StoreWatch;

  constructor(database: Database, terms: LeaseTerms, watch: StoreWatch) {
    this.#database = database;
    this.#terms = terms;
    this.#watch = watch;
    this.#write = new GroupCommit(
      async (writes) => {
        const written = await orUnavailable(writeOrders(database, writes, terms));
        watch.wrote();
        return written;
      },
      { name: 'be written' },
    );
    this.#read = new GroupCommit((ids) => orUnavailable(this.#readMany(ids)), { name: 'be read', maxWaiting: 16_384 });
    this.#readOwn = new GroupCommit((asked) => orUnavailable(this.#readManyOwn(asked)), { name: 'be read' });
  }

  async insert(placement: Placement): Promise<Written> {
    try {
      return await this.#write.push(placement);
    } catch (error) {
      // Another node drew the same id, so neither this order nor its key was written.
      if (isDuplicate(error)) return undefined;
      throw error;
    }
  }

  save(change: OrderChange): Promise<Written> {
    return this.#write.push(change);
  }

  async load(id: number): Promise<OrderMemory | undefined> {
    const found = await this.#read.push(id);
    if (found instanceof Error) throw found;
    return found;
  }

  /** The order as last committed, if it belongs to the customer. */
  async loadOwn(id: number, customerId: number): Promise<OrderMemory | undefined> {
    const found = await this.#readOwn.push({ id, customerId });
    if (found instanceof Error) throw found;
    return found;
  }

  async earlier({ caller, key, fingerprint, decision }: Placement): Promise<Earlier | undefined> {
    const { rows } = await orUnavailable(
      this.#database.query<OrderRow & { fingerprint: string; answer: PlacedOrder | null; running: boolean }>(
        key === null
          ? { ...EARLIER_BY_BODY, values: [decision.order.customerId, fingerprint] }
          : { ...EARLIER_BY_KEY, values: [caller, key] },
      ),
    );
    const [row] = rows;
    return row && { memory: memoryOf(row), fingerprint: row.fingerprint, answer: row.answer, running: row.running };
  }

  async claimDue(limit: number, away: readonly Peer[] = []): Promise<Claimed[]> {
    const { node, leaseMs } = this.#terms;
    const reached = PEERS.filter((peer) => !away.includes(peer));
    const values = [node, leaseMs, limit, ORDER_MACHINE_VERSION, away.flatMap(owing), reached.flatMap(owing)];
    return this.#claimed({ ...CLAIM_DUE, values });
  }

  async claimOne(id: number): Promise<Claimed | undefined> {
    const { node, leaseMs } = this.#terms;
    return (await this.#claimed({ ...CLAIM_ONE, values: [node, leaseMs, id, ORDER_MACHINE_VERSION] }))[0];
  }

  /**
   * Ends the leases of a node that hangs or is gone, so that others may claim its orders at once. If it is alive after all,
   * its next write renews the lease, or conflicts with whoever was faster. Returns how many there were.
   */
  async endLeases(node: string): Promise<number> {
    return (await orUnavailable(this.#database.query(END_LEASES, [node]))).rowCount ?? 0;
  }

  /** Deletes a batch of idempotency keys whose orders have been at rest for `restedMs`. Returns whether there may be more. */
  async forgetKeys(restedMs: number): Promise<boolean> {
    return (await orUnavailable(this.#database.query(FORGET_KEYS, [restedMs]))).rowCount === FORGET_AT_MOST;
  }

  /** Resolves when all reads and writes are done. */
  async drained(): Promise<void> {
    await Promise.all([this.#write.drained(), this.#read.drained(), this.#readOwn.drained()]);
  }

  async #claimed(statement: { name: string; text: string; values: unknown[] }): Promise<Claimed[]> {
    const { rows } = await orUnavailable(this.#database.query<OrderRow & { overdue: boolean }>(statement));
    const claimed: Claimed[] = [];
    for (const row of rows) {
      const memory = readOrError(row);
      if (memory instanceof Error) await this.#setAside(row, memory);
      else claimed.push({ memory, overdue: row.overdue });
    }
    return claimed;
  }

  async #setAside({ id, version }: OrderRow, error: Error): Promise<void> {
    this.#watch.unfit(id, error);
    await orUnavailable(this.#database.query({ ...SET_ASIDE, values: [id, version, error.message] }));
  }

  async #readMany(ids: readonly number[]): Promise<(OrderMemory | Error | undefined)[]> {
    const { rows } = await this.#database.query<OrderRow>({ ...READ, values: [ids] });
    const found = new Map(rows.map((row) => [row.id, readOrError(row)]));
    return ids.map((id) => found.get(id));
  }

  async #readManyOwn(asked: readonly Own[]): Promise<(OrderMemory | Error | undefined)[]> {
    const values = [tokens(asked.map(({ id }) => id)), tokens(asked.map(({ customerId }) => customerId))];
    const { rows } = await this.#database.query<OrderRow>({ ...READ_OWN, values });
    // One batch may contain requests for the same order by its own and by another customer.
    const found = new Map(rows.map((row) => [`${row.id} ${row.customerId}`, readOrError(row)]));
    return asked.map(({ id, customerId }) => found.get(`${id} ${customerId}`));
  }
}

/** The states that owe work to a peer, each prefixed by its region. */
const owing = (peer: Peer): string[] =>
  (['stock', 'shipment'] as const).flatMap((region) => statesOwing(region, peer).map((state) => `${region} ${state}`));

/** Returns an error instead of throwing, so that one unreadable row does not fail the others of its batch. */
function readOrError(row: OrderRow): OrderMemory | Error {
  try {
    return memoryOf(row);
  } catch (error) {
    return error as Error;
  }
}
