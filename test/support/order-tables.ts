/** The tables of orders in memory: what the statements in services/orders/store do, each as one step. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { ORDER_MACHINE_VERSION } from '../../machines/order/order.machine.ts';
import type { HistoryEntry, Order } from '../../machines/order/order.ts';
import type { Peer } from '../../machines/order/order.words.ts';
import { upgrade } from '../../machines/order/order.upgrades.ts';
import type { PlacedOrder } from '../../services/orders/orders.types.ts';
import {
  type Claimed,
  type Earlier,
  isPlacement,
  type LeaseTerms,
  type OrderChange,
  type OrderMemory,
  type OrderWrite,
  type Placement,
  type Written,
} from '../../services/orders/store/order.port.ts';

/** A row of orders.orders. Times are the store's own, in Unix milliseconds. */
export interface TwinRow {
  order: Order;
  machineVersion: number;
  version: number;
  owner: string | null;
  dueAt: number | null;
  attempt: number;
  lastError: string | null;
  parkedAt: number | null;
  deadlineAt: number;
  /** Of an order placed without a key. */
  fingerprint: string | null;
}

interface Key {
  fingerprint: string;
  orderId: number;
  answer: PlacedOrder | null;
}

/** Bugs to plant, to see whether somebody notices. */
export interface StoreFlaws {
  /** A change is written whatever has become of the row since it was read. */
  ignoresVersions?: boolean;
  /** A key stays although the id of its order was taken by another. */
  keepsKeyOfTakenId?: boolean;
  /** A change is answered, and acted upon, before it is committed. */
  answersBeforeCommit?: boolean;
}

/** The unique violation of a placement whose id is taken. */
export class Duplicate extends Error {}

/** Whether a node that reaches all peers but those `away` takes the row up. */
function isFor({ order, deadlineAt }: TwinRow, away: readonly Peer[], now: number): boolean {
  const { owed, status } = order.state;
  const overdue = status === 'PENDING_CHECK' && deadlineAt <= now;
  return overdue || owed.length === 0 || owed.some(({ from }) => !away.includes(from));
}

const MEMORY = ({ order, version, owner, attempt, lastError, machineVersion }: TwinRow): OrderMemory => {
  upgrade(machineVersion, order.state.value);
  return { id: order.id, state: order, version, work: { owner, attempt, lastError } };
};

/** The tables, and each statement as one step that happens as a whole. */
export class OrderTables {
  readonly rows = new Map<number, TwinRow>();
  readonly history = new Map<number, HistoryEntry[]>();
  readonly keys = new Map<string, Key>();
  readonly outbox: DomainEvent[] = [];
  readonly #now: () => number;
  readonly flaws: StoreFlaws;

  constructor(now: () => number, flaws: StoreFlaws = {}) {
    this.#now = now;
    this.flaws = flaws;
  }

  /** A batch in one transaction. @throws Duplicate, and nothing is written. */
  write(writes: readonly OrderWrite[], lease: LeaseTerms): Written[] {
    for (const write of writes) if (isPlacement(write)) this.#refuseTakenId(write);
    return writes.map((write) => (isPlacement(write) ? this.#insert(write, lease) : this.#save(write, lease)));
  }

  read(id: number): OrderMemory | undefined {
    const row = this.rows.get(id);
    return row && MEMORY(row);
  }

  earlier({ caller, key, fingerprint, decision: { order } }: Placement): Earlier | undefined {
    const kept = key === null ? undefined : this.keys.get(`${caller} ${key}`);
    const row = key === null ? this.#pendingTwin(order.customerId, fingerprint) : this.rows.get(kept?.orderId ?? 0);
    if (!row) return undefined;
    return {
      memory: MEMORY(row),
      fingerprint: kept?.fingerprint ?? row.fingerprint,
      answer: kept?.answer ?? null,
      running: row.owner !== null && row.dueAt !== null && row.dueAt > this.#now(),
    };
  }

  claimDue(limit: number, lease: LeaseTerms, away: readonly Peer[] = []): Claimed[] {
    const now = this.#now();
    return [...this.rows.values()]
      .filter((row) => isFor(row, away, now))
      .filter((row) => row.dueAt !== null && row.dueAt <= now && row.machineVersion <= ORDER_MACHINE_VERSION)
      .toSorted((a, b) => (a.dueAt as number) - (b.dueAt as number))
      .slice(0, limit)
      .map((row) => this.#lease(row, lease));
  }

  claimOne(id: number, lease: LeaseTerms): Claimed | undefined {
    const row = this.rows.get(id);
    if (!row || row.machineVersion > ORDER_MACHINE_VERSION) return undefined;
    const due = row.dueAt !== null && row.dueAt <= this.#now();
    const owes = row.dueAt !== null || row.parkedAt !== null;
    return owes && (row.owner === null || due) ? this.#lease(row, lease) : undefined;
  }

  #lease(row: TwinRow, lease: LeaseTerms): Claimed {
    const now = this.#now();
    Object.assign(row, { owner: lease.node, dueAt: now + lease.leaseMs, version: row.version + 1, parkedAt: null });
    return { memory: MEMORY(row), overdue: row.deadlineAt <= now };
  }

  #refuseTakenId({ caller, key, decision: { order } }: Placement): void {
    if (key === null || this.flaws.keepsKeyOfTakenId) return;
    if (!this.keys.has(`${caller} ${key}`) && this.rows.has(order.id)) throw new Duplicate(`order ${order.id}`);
  }

  #pendingTwin(customerId: number, fingerprint: string): TwinRow | undefined {
    for (const row of this.rows.values()) {
      const { state, customerId: customer } = row.order;
      if (state.status === 'PENDING_CHECK' && customer === customerId && row.fingerprint === fingerprint) return row;
    }
    return undefined;
  }

  #insert({ decision, caller, key, fingerprint }: Placement, lease: LeaseTerms): Written {
    const { order } = decision;
    if (key !== null) {
      if (this.keys.has(`${caller} ${key}`)) return undefined;
      this.keys.set(`${caller} ${key}`, { fingerprint, orderId: order.id, answer: null });
    } else if (this.#pendingTwin(order.customerId, fingerprint)) return undefined;
    if (this.rows.has(order.id)) return undefined;
    const now = this.#now();
    const row: TwinRow = {
      order,
      machineVersion: ORDER_MACHINE_VERSION,
      version: 1,
      owner: lease.node,
      dueAt: now + lease.leaseMs,
      attempt: 0,
      lastError: null,
      parkedAt: null,
      deadlineAt: now + lease.ttlMs,
      fingerprint: key === null ? fingerprint : null,
    };
    this.rows.set(order.id, row);
    this.history.set(order.id, [...decision.history]);
    this.outbox.push(...decision.announcements);
    return MEMORY(row);
  }

  #save({ memory, decision, due, answer, events }: OrderChange, lease: LeaseTerms): Written {
    const row = this.rows.get(memory.id);
    if (!row || (row.version !== memory.version && !this.flaws.ignoresVersions)) return undefined;
    const now = this.#now();
    const parked = due.at === 'parked';
    const failed = due.at === 'pause' || parked ? due : { attempt: 0, lastError: null };
    row.order = decision?.order ?? memory.state;
    row.machineVersion = ORDER_MACHINE_VERSION;
    row.version++;
    row.owner = due.at === 'lease' ? lease.node : null;
    row.attempt = failed.attempt;
    row.lastError = failed.lastError;
    row.parkedAt = parked ? now : null;
    row.dueAt = due.at === 'lease' ? now + lease.leaseMs : due.at === 'pause' ? now + due.pauseMs : null;
    if (row.order.state.status === 'PENDING_CHECK') row.dueAt = Math.min(row.dueAt ?? row.deadlineAt, row.deadlineAt);
    this.history.get(memory.id)?.push(...(decision?.history ?? []));
    this.outbox.push(...events);
    if (answer) for (const key of this.keys.values()) if (key.orderId === memory.id) key.answer ??= answer;
    return MEMORY(row);
  }
}
