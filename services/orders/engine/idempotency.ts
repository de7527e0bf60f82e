/** Idempotency: which request repeats an earlier one, what the repeat is answered, and how long that is remembered. */
import { hash } from 'node:crypto';
import { IdempotencyKeyInUse, IdempotencyKeyReused } from '../../../machines/order/order.failures.ts';
import type { Order, OrderRequest } from '../../../machines/order/order.ts';
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import type { Caller } from '../../../mixins/auth/caller.ts';
import { isVisible } from '../../../mixins/params/params.ts';
import type { CallMeta, PlacedOrder } from '../orders.types.ts';
import type { Earlier, Placement } from '../store/order.port.ts';
import { answerOf, confirmedAnswer, outcomeOf } from './outcome.ts';

/** How long a key is remembered after its order has come to rest, in milliseconds. */
export const KEY_TTL_MS = 24 * 3_600_000;

const MAX_KEY = 255;

/** The caller of everyone who is not told apart from others. */
const ANONYMOUS = 'anonymous';

/** An order as a caller sends it, with what makes a repeat recognisable. */
export interface Submission extends OrderRequest {
  /** Whose keys it uses (see `keyspaceOf`). */
  readonly caller: string;
  readonly key: string | null;
}

/** The idempotency key of a call, null without one. @throws ValidationFailed for one that cannot be kept. */
export function idempotencyKeyOf({ idempotencyKey }: CallMeta): string | null {
  if (idempotencyKey === undefined || idempotencyKey === null) return null;
  if (isVisible(idempotencyKey, MAX_KEY)) return idempotencyKey;
  const message = `Give 1 to ${MAX_KEY} visible ASCII characters, without spaces`;
  throw ValidationFailed.of([{ field: 'idempotencyKey', type: 'idempotencyKey', message }]);
}

/** Whose idempotency keys a call uses. Callers that are not told apart share one name space. */
export function keyspaceOf({ role, subject, customerId }: Caller): string {
  if (role === 'service') return ANONYMOUS;
  return role === 'customer' ? `customer:${customerId}` : `${role}:${subject}`;
}

/**
 * 128 bits of a body and of who sent it, as hexadecimal digits. Two bodies that mean the same order have the same: the
 * order of JSON's keys does not count.
 */
export function fingerprintOf(submission: Submission): string {
  const { caller, customerId, customerName, deliveryAddress, carrier, items } = submission;
  const body = [
    // Left out where it says nothing: stored fingerprints stay what they are.
    ...(caller === ANONYMOUS ? [] : [caller]),
    customerId,
    customerName,
    deliveryAddress,
    carrier,
    ...items.flatMap((item) => [item.productId, item.quantity]),
  ];
  return hash('sha256', JSON.stringify(body)).slice(0, 32);
}

/**
 * What a placement is to the earlier order that stands against it: `itself`, when the answer to its insert was lost and
 * it was inserted again; the repeat of an order that is `decided`; or of one that is still `pending`.
 * @throws IdempotencyKeyReused for another body under the same key; IdempotencyKeyInUse while the first request with
 * the key is still running.
 */
export function repeatOf(placement: Placement, earlier: Earlier): 'itself' | 'decided' | 'pending' {
  const { state: order } = earlier.memory;
  if (order.uuid === placement.decision.order.uuid) return 'itself';
  if (placement.key !== null && earlier.fingerprint !== placement.fingerprint) {
    throw new IdempotencyKeyReused(
      'This Idempotency-Key was used with another body. Send a new key, or the first body again',
    );
  }
  if (outcomeOf(order) !== 'open') return 'decided';
  if (placement.key !== null && earlier.running) {
    throw new IdempotencyKeyInUse(
      'The first request with this Idempotency-Key is still running. Repeat this one in a moment',
    );
  }
  return 'pending';
}

/** What the repeat of a decided order is answered: the first answer again, where one was kept. @throws as `answerOf`. */
export function repeatedAnswer({ answer, memory }: Earlier): PlacedOrder {
  return answer ? { ...answer, replayed: true } : answerOf(memory.state, true);
}

/** The answer to keep for the key of an order, when this change of the order is the one that makes it; null otherwise. */
export function answerToKeep(before: Order, after: Order): PlacedOrder | null {
  if (!after.keyed) return null;
  const made = outcomeOf(before) === 'open' && outcomeOf(after) === 'confirmed';
  return made ? confirmedAnswer(after) : null;
}
