/** The store of orders in memory, on tables that several nodes share. */
import type { Peer } from '../../machines/order/order.words.ts';
import type { Clock } from '../../mixins/actor/clock.ts';
import { GroupCommit } from '../../mixins/actor/group-commit.ts';
import {
  type Claimed,
  type Earlier,
  type LeaseTerms,
  type OrderChange,
  type OrderMemory,
  type OrderPort,
  type OrderWrite,
  type Placement,
  type Written,
} from '../../services/orders/store/order.port.ts';

import { Duplicate, type OrderTables } from './order-tables.ts';

/** How a node's statements reach the tables: each is one step that may fail on the way there or back. */
export type Link = <T>(name: string, step: () => T) => Promise<T>;

/** One node's view of the tables. */
export class TwinOrderStore implements OrderPort {
  readonly #tables: OrderTables;
  readonly #lease: LeaseTerms;
  readonly #link: Link;
  readonly #write: GroupCommit<OrderWrite, Written>;

  constructor(
    tables: OrderTables,
    lease: LeaseTerms,
    link: Link = async (_name, step) => step(),
    clock?: Pick<Clock, 'soon'>,
  ) {
    this.#tables = tables;
    this.#lease = lease;
    this.#link = link;
    this.#write = new GroupCommit((writes) => link('write', () => tables.write(writes, lease)), {
      name: 'be written',
      ...(clock && { clock }),
    });
  }

  async insert(placement: Placement): Promise<Written> {
    try {
      return await this.#write.push(placement);
    } catch (error) {
      if (error instanceof Duplicate) return undefined;
      throw error;
    }
  }

  save(change: OrderChange): Promise<Written> {
    const written = this.#write.push(change);
    if (!this.#tables.flaws.answersBeforeCommit) return written;
    written.catch(() => undefined);
    const { memory, decision, due } = change;
    const work =
      due.at === 'lease' ? { owner: this.#lease.node, attempt: 0, lastError: null } : { ...memory.work, owner: null };
    return Promise.resolve({ ...memory, state: decision?.order ?? memory.state, version: memory.version + 1, work });
  }

  load(id: number): Promise<OrderMemory | undefined> {
    return this.#link('load', () => this.#tables.read(id));
  }

  earlier(placement: Placement): Promise<Earlier | undefined> {
    return this.#link('earlier', () => this.#tables.earlier(placement));
  }

  claimDue(limit: number, away?: readonly Peer[]): Promise<Claimed[]> {
    return this.#link('claimDue', () => this.#tables.claimDue(limit, this.#lease, away));
  }

  claimOne(id: number): Promise<Claimed | undefined> {
    return this.#link('claimOne', () => this.#tables.claimOne(id, this.#lease));
  }

  /** Resolves when every write in progress is done. */
  drained(): Promise<void> {
    return this.#write.drained();
  }
}
