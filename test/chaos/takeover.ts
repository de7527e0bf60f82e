/** How long the orders of a node that fell silent wait until another node takes them over. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Mesh } from './mesh.ts';

/** One order that was in flight on a node when it fell silent. Times are milliseconds since the round began. */
export interface Takeover {
  orderId: number;
  node: string;
  from: number;
  /** When its row was first seen changed; undefined when it never was. */
  to: number | undefined;
}

const POLL_MS = 50;
const GIVE_UP_MS = 60_000;

/**
 * Measured in the database of orders, past every proxy: the leases are nowhere else to be seen. This is a measurement
 * only; what the checker says is read from the API.
 */
export class Takeovers {
  readonly all: Takeover[] = [];
  readonly #mesh: Mesh;
  readonly #now: () => number;
  readonly #watching = new Set<Promise<void>>();

  constructor(mesh: Mesh, now: () => number) {
    this.#mesh = mesh;
    this.#now = now;
  }

  /** To be called at once when a node was killed or stopped: follows every order that it works on until it moves on. */
  fellSilent(node: string): void {
    if (!node.startsWith('orders')) return;
    const from = this.#now();
    const watch: Promise<void> = this.#watch(node, from)
      .catch(() => undefined)
      .finally(() => this.#watching.delete(watch));
    this.#watching.add(watch);
  }

  /** Resolves when every order that was followed has moved on, or was given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#watching);
  }

  async #watch(node: string, from: number): Promise<void> {
    // What the node had sent just before is still being committed by PostgreSQL: that is no takeover.
    await pause(2 * POLL_MS);
    const owned = await this.#rows('SELECT id, version FROM orders.orders WHERE owner = $1 AND due_at > now()', [node]);
    const waiting = new Map(
      owned.map(({ id, version }) => {
        const takeover: Takeover = { orderId: id, node, from, to: undefined };
        this.all.push(takeover);
        return [id, { version, takeover }];
      }),
    );
    while (waiting.size > 0 && this.#now() - from < GIVE_UP_MS) {
      await pause(POLL_MS);
      // While the database is away nothing moves on either.
      const rows = await this.#rows('SELECT id, version FROM orders.orders WHERE id = ANY($1::bigint[])', [
        [...waiting.keys()],
      ]).catch(() => []);
      for (const { id, version } of rows) {
        const waited = waiting.get(id);
        if (!waited || waited.version === version) continue;
        waited.takeover.to = this.#now();
        waiting.delete(id);
      }
    }
  }

  async #rows(sql: string, values: unknown[]): Promise<{ id: number; version: number }[]> {
    const client = new pg.Client({ connectionString: this.#mesh.postgres('orders').url, query_timeout: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ id: string; version: number }>(sql, values);
      return rows.map(({ id, version }) => ({ id: Number(id), version }));
    } finally {
      client.end().catch(() => undefined);
    }
  }
}

/** The value below which this share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] as number;
}
