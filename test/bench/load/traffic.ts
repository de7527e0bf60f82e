/** The requests themselves: the same ones for everybody, from a seed. */
import type { OrderTraffic, Traffic } from './job.ts';

export interface BenchRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body: string | null;
}

const CARRIERS = ['DHL', 'UPS', 'FedEx'];
const MAX_QUANTITY = 3;
const NONE = {};

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Answers one request after another, without end. */
export function requestsOf(traffic: Traffic, seed: number): () => BenchRequest {
  const draw = chance(seed);
  const below = (count: number): number => Math.floor(draw() * count);
  let sent = 0;
  if (traffic.kind === 'reads') {
    const { path, first, step, count } = traffic;
    return () => ({
      method: 'GET',
      path: path.replace('*', String(first + below(count) * step)),
      headers: NONE,
      body: null,
    });
  }
  return () => {
    const customerId = traffic.firstCustomer + sent++;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (traffic.keyed) headers['idempotency-key'] = `bench-${customerId}`;
    return { method: 'POST', path: '/api/v1/orders', headers, body: orderOf(traffic, customerId, below) };
  };
}

function orderOf({ products, hot }: OrderTraffic, customerId: number, below: (count: number) => number): string {
  const first = hot ? 0 : below(products);
  const second = (first + 1 + below(products - 1)) % products;
  const items = [first, second].map((product) => ({ productId: product + 1, quantity: 1 + below(MAX_QUANTITY) }));
  return JSON.stringify({
    customerId,
    customerName: 'Ada Lovelace',
    items,
    deliveryAddress: '12 St James Square, London',
    carrier: CARRIERS[below(CARRIERS.length)],
  });
}
