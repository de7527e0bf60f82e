/** An engine whose three books are held against each other, and orders at rest in every way there is. */
import { afterEach, beforeAll, expect } from '@jest/globals';
import type { Disagreement } from '../../machines/reconciliation/reconciliation.ts';
import { bodyOf, type Engine, startEngine } from './engine.ts';
import { eventually } from './eventually.ts';

export let engine: Engine;
export let cup: number;

/** Starts the engine before a file's tests, and undoes each test's disturbances. */
export function useBooks(): void {
  beforeAll(async () => {
    engine = await startEngine();
    cup = await engine.product({ stock: 10_000 });
  });
  afterEach(() => engine.restore());
}

export async function reconciliation(): Promise<Disagreement[]> {
  const reply = await engine.send<Disagreement[]>('GET', '/reports/reconciliation');
  expect(reply.status).toBe(200);
  return reply.body;
}

export async function atRest(): Promise<void> {
  await eventually(async () => {
    const owing = await engine.rows('SELECT id FROM orders.orders WHERE due_at IS NOT NULL OR parked_at IS NOT NULL');
    expect(owing).toEqual([]);
  });
}

export const away = () => Promise.reject(new Error('away'));

/** An order at rest in each way there is. */
export const makers: Record<string, () => Promise<number>> = {
  confirmed: async () => (await engine.confirmed(cup)).orderId,
  shipped: async () => {
    const { orderId } = await engine.confirmed(cup);
    await engine.command('ship', orderId);
    return orderId;
  },
  delivered: async () => {
    const { orderId } = await engine.confirmed(cup);
    await engine.command('ship', orderId);
    await engine.command('deliver', orderId);
    return orderId;
  },
  cancelled: async () => {
    const { orderId } = await engine.confirmed(cup);
    await engine.command('cancel', orderId);
    return orderId;
  },
  refused: async () => {
    const { status, body } = await engine.post(bodyOf(cup, 1_000_000));
    expect(status).toBe(400);
    return body.orderId as number;
  },
};

export async function orderAtRest(kind: string): Promise<number> {
  const orderId = await (makers[kind] as () => Promise<number>)();
  await atRest();
  return orderId;
}
