/** Virtual shoppers: each places orders one after another, and cancels, ships and delivers them as people do. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Entry, Submission } from './log.ts';
import type { Random } from '../support/random.ts';
import type { Product, Shop } from './shop.ts';

const MAX_TRIES = 4;
const THINK_MS = { min: 30, max: 350 };

/** How far an order has come; a cancelled one comes no further. */
const RANK: Record<string, number> = { PENDING_CHECK: 0, CONFIRMED: 1, SHIPPED: 2, DELIVERED: 3, CANCELLED: 4 };

/** The further one of two statuses; undefined is not known. */
export function further(a: string | undefined, b: string | undefined): string | undefined {
  return (RANK[a ?? ''] ?? -1) >= (RANK[b ?? ''] ?? -1) ? a : b;
}

export interface Catalog {
  readonly products: readonly Product[];
  /** Products with too little stock for everybody. */
  readonly scarce: readonly Product[];
}

/** Numbers the customers of a round, unique across rounds. */
export class Customers {
  #next: number;
  constructor(first: number) {
    this.#next = first;
  }
  draw(): number {
    return this.#next++;
  }
}

export interface ShopperOptions {
  shop: Shop;
  catalog: Catalog;
  customers: Customers;
  random: Random;
}

/** Shops until the signal. */
export async function goShopping(options: ShopperOptions, until: AbortSignal): Promise<void> {
  const { random, shop, catalog } = options;
  while (!until.aborted) {
    if (random.happens(0.02)) await shop.addStock(random.pick(catalog.scarce).id, RESTOCK);
    else await new Journey(options, submissionOf(options)).go(until);
    await think(random);
  }
}

/** Units that are put into stock at a time: always the same, so that it can be told how often it happened. */
export const RESTOCK = 10;

const think = (random: Random): Promise<void> => pause(random.between(THINK_MS.min, THINK_MS.max));

function submissionOf({ random, catalog, customers }: ShopperOptions): Submission {
  const customerId = customers.draw();
  const wanted = new Set<Product>();
  const lines = random.between(1, 3);
  while (wanted.size < lines) wanted.add(random.pick(random.happens(0.06) ? catalog.scarce : catalog.products));
  const items = [...wanted].map(({ id }) => ({ productId: id, quantity: random.between(1, 3) }));
  return { customerId, items, key: random.happens(0.6) ? `chaos-${customerId}` : null };
}

/** One order from the wish to wherever its shopper takes it. */
class Journey {
  readonly #random: Random;
  readonly #shop: Shop;
  readonly #submission: Submission;
  #orderId: number | undefined;
  #trackingNumber: string | undefined;
  /** The furthest status that was seen or acknowledged. */
  #known: string | undefined;

  constructor({ random, shop }: ShopperOptions, submission: Submission) {
    this.#random = random;
    this.#shop = shop;
    this.#submission = submission;
  }

  async go(until: AbortSignal): Promise<void> {
    const random = this.#random;
    // Drawn before anything is sent, so that what comes back does not change what the next shopper draws.
    const hasty = random.happens(0.15);
    const twice = this.#submission.key !== null && random.happens(0.1);
    const plan = random.weighted([
      { weight: 20, name: 'leave' },
      { weight: 25, name: 'cancel' },
      { weight: 5, name: 'race' },
      { weight: 5, name: 'parcel' },
      { weight: 45, name: 'ship' },
    ] as const).name;
    const ending = random.pick(['leave', 'deliver', 'parcel', 'parcel'] as const);
    await Promise.all([
      this.#place(until),
      twice ? this.#place(until) : undefined,
      hasty ? this.#cancelBeforeTheAnswer() : undefined,
    ]);
    if (this.#orderId === undefined || hasty || until.aborted) return;
    await think(random);
    await this.#look();
    if (plan === 'cancel') await this.#tell('cancel');
    else if (plan === 'race') await Promise.all([this.#tell('cancel'), this.#tell('ship')]);
    else if (plan === 'parcel') await this.#parcelArrives();
    else if (plan === 'ship' && (await this.#tell('ship'))) {
      await think(random);
      if (ending === 'deliver') await this.#tell('deliver');
      else if (ending === 'parcel') await this.#parcelArrives();
    }
    await this.#look();
  }

  /** With a key the same request is repeated until it is answered; without one rarely, as it may make a second order. */
  async #place(until: AbortSignal): Promise<void> {
    const patient = this.#submission.key !== null || this.#random.happens(0.2);
    for (let tries = 0; tries < MAX_TRIES && !until.aborted; tries++) {
      const entry = await this.#shop.place(this.#submission);
      this.#learn(entry);
      const inUse = entry.status === 409 && entry.body?.status === undefined;
      if (entry.outcome === 'done' || (entry.outcome === 'refused' && !inUse)) return;
      if (!patient && entry.outcome !== 'unsent') return;
      await pause(300 * (tries + 1));
    }
  }

  /** Finds the order by its customer while it is still being placed, and cancels it. */
  async #cancelBeforeTheAnswer(): Promise<void> {
    for (let tries = 0; tries < 8; tries++) {
      const orderId = await this.#shop.peek(this.#submission.customerId);
      if (orderId !== undefined) {
        this.#orderId ??= orderId;
        await this.#shop.command('cancel', orderId);
        return;
      }
      await pause(5);
    }
  }

  /** Repeats a command until it is answered. True when it is acknowledged. */
  async #tell(command: 'cancel' | 'ship' | 'deliver'): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { outcome } = await this.#shop.command(command, this.#orderId as number);
      if (outcome === 'done') this.#known = further(this.#known, RESULT[command]);
      if (outcome === 'done' || outcome === 'refused') return outcome === 'done';
      await pause(400 * (tries + 1));
    }
    return false;
  }

  async #parcelArrives(): Promise<void> {
    if (this.#trackingNumber === undefined) return;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { outcome } = await this.#shop.parcelArrived(this.#orderId as number, this.#trackingNumber);
      if (outcome === 'done' || outcome === 'refused') return;
      await pause(400 * (tries + 1));
    }
  }

  async #look(): Promise<void> {
    this.#learn(await this.#shop.read(this.#orderId as number, this.#known));
  }

  #learn({ outcome, body }: Entry): void {
    if (body?.orderId !== undefined) this.#orderId = body.orderId;
    if (outcome !== 'done' || body === null) return;
    this.#known = further(this.#known, body.status);
    this.#trackingNumber ??= body.trackingNumber ?? undefined;
  }
}

const RESULT = { cancel: 'CANCELLED', ship: 'SHIPPED', deliver: 'DELIVERED' } as const;
