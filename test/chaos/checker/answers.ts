/** The promise: answers follow the contract, and reads are never older than what was known before they were sent. */
import type { Operation } from '../log.ts';
import { further } from '../shoppers.ts';
import type { Check } from './promise.ts';

/** The answers that the contract allows for each valid request. */
const CONTRACT: Record<Operation, readonly number[]> = {
  place: [201, 400, 409, 503],
  cancel: [204, 409, 503],
  ship: [204, 409, 503],
  deliver: [204, 409, 503],
  parcel: [201, 409, 503],
  read: [200, 503],
  addStock: [200, 503],
};

export const answers: Check = {
  promise: 'answers are those of the contract, and no read is older than what was acknowledged',
  *check({ log }) {
    for (const { operation, status, body, orderId, knownBefore, at, outcome } of log.entries) {
      // 404 for an order is checked as a loss.
      if (status !== null && status !== 404 && !CONTRACT[operation].includes(status))
        yield { orderId, what: `${operation} at ${Math.round(at)} ms was answered ${status} ${JSON.stringify(body)}` };
      if (operation === 'place' && status === 400 && body?.error !== 'Insufficient stock')
        yield { what: `place at ${Math.round(at)} ms was answered 400 ${JSON.stringify(body)}` };
      if (operation === 'read' && outcome === 'done' && further(body?.status, knownBefore) !== body?.status)
        yield { orderId, what: `it was read as ${body?.status} at ${Math.round(at)} ms after it was ${knownBefore}` };
    }
  },
};
