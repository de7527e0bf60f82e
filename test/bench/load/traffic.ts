/** The requests themselves: the same ones for everybody, from a seed. */
import { Random } from '../../support/random.ts';
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

/** Answers one request after another, without end. */
export function requestsOf(traffic: Traffic, seed: number): () => BenchRequest {
  const random = new Random(seed);
  const below = (count: number): number => random.between(0, count - 1);
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
