/** Clients of a simulated world: they place orders, retry failures, send commands, and record their answers. */
import type { Failure } from '../../machines/shared/failure.ts';
import { TERMS } from './profile.ts';
import type { Submission } from '../../services/orders/engine/idempotency.ts';
import type { PlacedOrder } from '../../services/orders/orders.types.ts';
import type { Nodes, SimNode } from './nodes.ts';
import { isOurs, type World } from './world.ts';

type CommandType = 'CANCEL' | 'SHIP' | 'DELIVER';

/** What a client has learned about an order from its answers. */
export type Told =
  | { kind: 'placed'; submission: Submission; orderId: number; status: string; replayed: boolean }
  | { kind: 'done'; orderId: number; command: CommandType };

/** How long a client waits for an answer before it takes the outcome for unknown. */
const PATIENCE_MS = 10_000;
const MAX_REPEATS = 4;

export class Clients {
  readonly told: Told[] = [];
  /** Answers that the engine never gives on purpose. */
  readonly surprises: string[] = [];
  readonly #world: World;
  readonly #nodes: Nodes;
  #busy = 0;

  constructor(world: World, nodes: Nodes) {
    this.#world = world;
    this.#nodes = nodes;
    for (let client = 1; client <= world.profile.clients; client++) this.#begin(client);
  }

  /** True once all clients have succeeded or given up. */
  get done(): boolean {
    return this.#busy === 0;
  }

  #begin(client: number): void {
    const { chance } = this.#world;
    const keyed = chance.happens(0.5);
    const items = [1, 2, 3]
      .filter(() => chance.happens(0.5))
      .map((productId) => ({ productId, quantity: chance.between(1, 3) }));
    const submission: Submission = {
      customerId: client,
      customerName: null,
      deliveryAddress: `${client} High Street`,
      carrier: 'DHL',
      items: items.length > 0 ? items : [{ productId: chance.between(1, 4), quantity: 1 }],
      requestId: null,
      by: { role: 'anonymous' },
      keyed,
      caller: 'somebody',
      key: keyed ? `key-${client}` : null,
    };
    const beginMs = chance.between(0, 4_000);
    this.#wait(beginMs, () => this.#place(submission, 0));
    // The same request by another way, at about the same time.
    if (chance.happens(0.4)) this.#wait(beginMs + chance.between(0, 40), () => this.#place(submission, MAX_REPEATS));
  }

  #place(submission: Submission, repeats: number): void {
    const { chance } = this.#world;
    const again = (): void => {
      if (repeats < MAX_REPEATS) this.#wait(chance.between(50, 3_000), () => this.#place(submission, repeats + 1));
    };
    const keep = (orderId: number, status: string, replayed: boolean): void => {
      this.told.push({ kind: 'placed', submission, orderId, status, replayed });
      for (let commands = chance.between(0, 3); commands > 0; commands--) {
        this.#wait(chance.between(0, 6_000), () => this.#command(orderId, chance.pick(['CANCEL', 'SHIP', 'DELIVER'])));
      }
    };
    this.#ask<PlacedOrder>(
      (node) => node.placing.place(submission),
      ({ order, replayed }) => keep(order.orderId, order.status, replayed),
      ({ data, retryable }) => {
        if (typeof data.orderId === 'number') keep(data.orderId, String(data.status), data.replayed === true);
        if (retryable) again();
      },
      again,
    );
  }

  #command(orderId: number, type: CommandType): void {
    const { chance } = this.#world;
    if (chance.happens(0.15)) return this.#retry(orderId);
    this.#ask(
      (node) => node.host.tell(orderId, { event: { type } }),
      (after) => {
        if (after === undefined) this.surprises.push(`order ${orderId} was not found for ${type}`);
        this.told.push({ kind: 'done', orderId, command: type });
      },
      () => undefined,
      () => undefined,
    );
  }

  #retry(orderId: number): void {
    this.#ask(
      async (node) => {
        const claimed = await node.store.claimOne(orderId);
        return claimed && node.host.resume(claimed.memory);
      },
      () => undefined,
      () => undefined,
      () => undefined,
    );
  }

  /** An operator asks for every parked order to be tried again. */
  retryParked(): void {
    for (const [id, row] of this.#world.tables.rows) if (row.parkedAt !== null) this.#retry(id);
  }

  /** Asks some node, and hears its answer, its refusal, or nothing for as long as a client waits. */
  #ask<T>(
    request: (node: SimNode) => Promise<T>,
    answered: (answer: T) => void,
    refused: (error: Failure) => void,
    unknown: () => void,
  ): void {
    const { scheduler } = this.#world;
    const node = this.#nodes.any();
    if (!node) return unknown();
    this.#busy++;
    let open = true;
    const end = (run: () => void) => (): void => {
      if (!open) return;
      open = false;
      this.#busy--;
      run();
    };
    scheduler.after(PATIENCE_MS, 'a client waits no longer', undefined, end(unknown));
    scheduler.after(1, 'a request arrives', node.process, () => {
      request(node).then(
        (answer) => end(() => answered(answer))(),
        (error: unknown) => {
          if (!isOurs(error)) this.surprises.push(`a client got ${String((error as Error).stack)}`);
          end(() => refused(error as Failure))();
        },
      );
    });
  }

  #wait(delayMs: number, run: () => void): void {
    this.#busy++;
    this.#world.scheduler.after(Math.min(delayMs, 2 * TERMS.ttlMs), 'a client goes on', undefined, () => {
      this.#busy--;
      run();
    });
  }
}
