/** Where orders are saved and read: every statement on the tables of orders is behind one of these methods. */
import type { Database } from '../../../mixins/database/database.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { GroupCommit } from '../../../mixins/group-commit.ts';
import type { PlacedOrder } from '../orders.types.ts';
import type { Lease, Placement } from './insert-orders.ts';
import { memoryOf, ORDER_COLUMNS, type OrderMemory, type OrderRow } from './order.row.ts';
import type { OrderChange } from './save-orders.ts';
import { type OrderWrite, writeOrders, type Written } from './write-orders.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order.machine.ts';

/** An order that stands where a placement would go. */
export interface Earlier {
  memory: OrderMemory;
  /** The body it was placed with, when it was placed under the same key. */
  fingerprint: string | null;
  /** The answer kept for the key. */
  answer: PlacedOrder | null;
  /** True while some node works on it. */
  running: boolean;
}

/** A row that recovery has leased for this node. */
export interface Claimed {
  memory: OrderMemory;
  /** It is PENDING_CHECK and past its deadline. */
  expired: boolean;
}

const READ = {
  name: 'orders.read',
  text: `SELECT ${ORDER_COLUMNS} FROM orders.orders o WHERE o.id = ANY($1::bigint[])`,
};

const RUNNING = `(o.owner IS NOT NULL AND o.due_at > now()) AS running`;
const EARLIER_BY_KEY = {
  name: 'orders.earlier-by-key',
  text: `SELECT ${ORDER_COLUMNS}, replace(k.fingerprint::text, '-', '') AS fingerprint, k.answer, ${RUNNING}
    FROM orders.idempotency_keys k JOIN orders.orders o ON o.id = k.order_id WHERE k.caller = $1 AND k.key = $2`,
};
const EARLIER_BY_BODY = {
  name: 'orders.earlier-by-body',
  text: `SELECT ${ORDER_COLUMNS}, o.fingerprint, NULL AS answer, ${RUNNING}
    FROM orders.orders o WHERE o.customer_id = $1 AND o.fingerprint = $2 AND o.status = 'PENDING_CHECK'`,
};

const LEASE = `owner = $1, due_at = now() + $2 * interval '1 ms', version = o.version + 1, parked_at = NULL`;
const EXPIRED = `(o.status = 'PENDING_CHECK' AND o.deadline_at <= now()) AS expired`;
// A node leaves rows of a newer machine to nodes that know it.
const CLAIM_DUE = {
  name: 'orders.claim-due',
  text: `UPDATE orders.orders o SET ${LEASE}
    FROM (SELECT id FROM orders.orders WHERE due_at <= now() AND machine_version <= $4
      ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
    WHERE o.id = due.id RETURNING ${ORDER_COLUMNS}, ${EXPIRED}`,
};
const CLAIM_ONE = {
  name: 'orders.claim-one',
  text: `UPDATE orders.orders o SET ${LEASE}
    WHERE o.id = $3 AND o.machine_version <= $4 AND (o.owner IS NULL OR o.due_at <= now())
      AND (o.due_at IS NOT NULL OR o.parked_at IS NOT NULL)
    RETURNING ${ORDER_COLUMNS}, ${EXPIRED}`,
};

const FORGET_KEYS = `DELETE FROM orders.idempotency_keys WHERE (caller, key) IN
  (SELECT caller, key FROM orders.idempotency_keys WHERE rest_at < now() - $1 * interval '1 ms' LIMIT 1000)`;

export class OrderStore {
  readonly #database: Database;
  readonly #terms: Lease;
  readonly #write: GroupCommit<OrderWrite, Written>;
  readonly #read: GroupCommit<number, OrderMemory | undefined>;

  /** `wrote` is called after every commit that may have put events into the outbox. */
  constructor(database: Database, terms: Lease, wrote: () => void) {
    this.#database = database;
    this.#terms = terms;
    this.#write = new GroupCommit(
      async (writes) => {
        const written = await orUnavailable(writeOrders(database.pool, writes, terms));
        wrote();
        return written;
      },
      { name: 'be written' },
    );
    this.#read = new GroupCommit((ids) => orUnavailable(this.#readMany(ids)), { name: 'be read', maxWaiting: 16_384 });
  }

  /** Writes a new order. Undefined when an earlier one, or its idempotency key, stands against it. */
  insert(placement: Placement): Promise<Written> {
    return this.#write.push({ placement });
  }

  /** Commits a change. Undefined when the row is no longer at the version that was read. */
  save(change: OrderChange): Promise<Written> {
    return this.#write.push({ change });
  }

  /** The order as last committed. */
  load(id: number): Promise<OrderMemory | undefined> {
    return this.#read.push(id);
  }

  /** What stands against a placement: the order of its key, or the pending one with its body. */
  async earlier({ caller, key, fingerprint, decision }: Placement): Promise<Earlier | undefined> {
    const { pool } = this.#database;
    const { rows } = await orUnavailable(
      pool.query<OrderRow & { fingerprint: string; answer: PlacedOrder | null; running: boolean }>(
        key === null
          ? { ...EARLIER_BY_BODY, values: [decision.order.customerId, fingerprint] }
          : { ...EARLIER_BY_KEY, values: [caller, key] },
      ),
    );
    const [row] = rows;
    return row && { memory: memoryOf(row), fingerprint: row.fingerprint, answer: row.answer, running: row.running };
  }

  /** Leases owed rows that are due, those of dead nodes among them. */
  async claimDue(limit: number): Promise<Claimed[]> {
    const { node, leaseMs } = this.#terms;
    return this.#claimed({ ...CLAIM_DUE, values: [node, leaseMs, limit, ORDER_MACHINE_VERSION] });
  }

  /** Leases one order that owes something and that nobody works on, due or parked. */
  async claimOne(id: number): Promise<Claimed | undefined> {
    const { node, leaseMs } = this.#terms;
    return (await this.#claimed({ ...CLAIM_ONE, values: [node, leaseMs, id, ORDER_MACHINE_VERSION] }))[0];
  }

  /** Forgets idempotency keys whose orders have been at rest for so long. Answers how many. */
  async forgetKeys(restedMs: number): Promise<number> {
    return (await this.#database.pool.query(FORGET_KEYS, [restedMs])).rowCount ?? 0;
  }

  /** Resolves when every write under way is done. */
  async drained(): Promise<void> {
    await Promise.all([this.#write.drained(), this.#read.drained()]);
  }

  async #claimed(statement: { name: string; text: string; values: unknown[] }): Promise<Claimed[]> {
    const { rows } = await orUnavailable(this.#database.pool.query<OrderRow & { expired: boolean }>(statement));
    return rows.map((row) => ({ memory: memoryOf(row), expired: row.expired }));
  }

  async #readMany(ids: readonly number[]): Promise<(OrderMemory | undefined)[]> {
    const { rows } = await this.#database.pool.query<OrderRow>({ ...READ, values: [ids] });
    const found = new Map(rows.map((row) => [row.id, memoryOf(row)]));
    return ids.map((id) => found.get(id));
  }
}
