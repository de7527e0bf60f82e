/** The promise: what was acknowledged is never lost. */
import type { Books, OrderBook } from '../books.ts';
import type { Entry } from '../log.ts';
import type { Check, Finding } from './promise.ts';

/** Which statuses an order may end in after an answer, and what its history must contain. */
const AFTER: Partial<Record<Entry['operation'], { ends: string[]; passed?: string }>> = {
  cancel: { ends: ['CANCELLED'] },
  ship: { ends: ['SHIPPED', 'DELIVERED'], passed: 'SHIPPED' },
  deliver: { ends: ['DELIVERED'], passed: 'DELIVERED' },
  parcel: { ends: ['DELIVERED'], passed: 'DELIVERED' },
};

export const acknowledged: Check = {
  promise: 'what was acknowledged is in the history and in the final state',
  *check(books) {
    for (const entry of books.log.entries) {
      const orderId = entry.orderId ?? entry.body?.orderId;
      const order = orderId === undefined ? undefined : books.orders.get(orderId);
      if (!order?.view) continue;
      yield* entry.operation === 'place' ? placed(entry, order, books) : told(entry, order);
    }
  },
};

function* told(entry: Entry, order: OrderBook): Generator<Finding> {
  const { orderId, history } = order;
  const after = AFTER[entry.operation];
  const status = order.view?.status as string;
  if (entry.outcome === 'done' && after) {
    if (!after.ends.includes(status))
      yield { orderId, what: `${entry.operation} was acknowledged (${entry.status}), and it is ${status}` };
    if (after.passed && !history.some(({ to }) => to === after.passed))
      yield { orderId, what: `${entry.operation} was acknowledged, and its history never was ${after.passed}` };
  }
  const refusedIn = entry.outcome === 'refused' ? entry.body?.status : undefined;
  if (refusedIn !== undefined && entry.operation !== 'parcel' && !history.some(({ to }) => to === refusedIn))
    yield { orderId, what: `${entry.operation} was refused because it was ${refusedIn}, which it never was` };
}

function* placed({ outcome, status, body }: Entry, order: OrderBook, { stock }: Books): Generator<Finding> {
  const { orderId, view, history } = order;
  const confirmed = history.some(({ to }) => to === 'CONFIRMED');
  if (outcome === 'done' && !confirmed)
    yield { orderId, what: `it was answered ${status} ${body?.status}, and never was CONFIRMED` };
  if (outcome === 'refused' && body?.error === 'Insufficient stock' && view?.status !== 'CANCELLED')
    yield { orderId, what: `it was answered as short of stock, and is ${view?.status}` };
  if (outcome !== 'done') return;
  const prices = new Map(stock.map(({ product }) => [product.id, product.price]));
  const total = view?.items.reduce((sum, item) => sum + item.quantity * (prices.get(item.productId) ?? 0), 0) ?? 0;
  if (Math.round((body?.totalPrice ?? -1) * 100) !== total)
    yield { orderId, what: `its total was answered as ${body?.totalPrice}, its items make ${total / 100}` };
}
