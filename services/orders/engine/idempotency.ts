/** Idempotency: recognises a repeated request, decides its answer, and how long keys are kept. */
import { hash } from 'node:crypto';
import { IdempotencyKeyInUse, IdempotencyKeyReused } from '../../../machines/order/order.failures.ts';
import type { Order, OrderRequest } from '../../../machines/order/order.ts';
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import type { Caller } from '../../../mixins/auth/caller.ts';
import { isVisible } from '../../../mixins/params/params.ts';
import type { CallMeta, PlacedOrder } from '../orders.types.ts';
import type { Earlier, Placement } from '../store/order.port.ts';
import { answerOf, confirmedAnswer, outcomeOf } from './outcome.ts';

/** How long a key is kept after its order comes to rest, in milliseconds. */
export const KEY_TTL_MS = 24 * 3_600_000;

const MAX_KEY = 255;

/** The key space shared by all callers without an identity. */
const ANONYMOUS = 'anonymous';

/** A request to place an order, with what identifies a repeat. */
export interface Submission extends OrderRequest {
  /** The caller's key space (see `keyspaceOf`). */
  readonly caller: string;
  readonly key: string | null;
}

/** The idempotency key of a call, or null. @throws ValidationFailed when the key is invalid */
export function idempotencyKeyOf({ idempotencyKey }: CallMeta): string | null {
  if (idempotencyKey === undefined || idempotencyKey === null) return null;
  if (isVisible(idempotencyKey, MAX_KEY)) return idempotencyKey;
  const message = `An idempotency key must be 1 to ${MAX_KEY} visible ASCII characters, without spaces`;
  throw ValidationFailed.of([{ field: 'idempotencyKey', type: 'idempotencyKey', message }]);
}

/** The idempotency key space of a caller. Callers without an identity share one. */
export function keyspaceOf({ role, subject, customerId }: Caller): string {
  if (role === 'service') return ANONYMOUS;
  return role === 'customer' ? `customer:${customerId}` : `${role}:${subject}`;
}

/**
 * A 128-bit hash of a body and its sender, as hexadecimal digits. The order of JSON keys does not matter.
 */
export function fingerprintOf(submission: Submission): string {
  const { caller, customerId, customerName, deliveryAddress, carrier, items } = submission;
  const body = [
    // Omitted for anonymous callers, so that fingerprints stored earlier still match.
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
 * How a placement relates to the earlier order that it conflicts with: `itself` when the response to its own insert was
 * lost and it was inserted again, or a repeat of an order that is `decided` or still `pending`.
 * @throws IdempotencyKeyReused for a different body with the same key; IdempotencyKeyInUse while the first request with
 * the key is still running.
 */
export function repeatOf(placement: Placement, earlier: Earlier): 'itself' | 'decided' | 'pending' {
  const { state: order } = earlier.memory;
  if (order.uuid === placement.decision.order.uuid) return 'itself';
  if (placement.key !== null && earlier.fingerprint !== placement.fingerprint) {
    throw new IdempotencyKeyReused(
      'This Idempotency-Key was already used with a different body. Send a new key, or the original body',
    );
  }
  if (outcomeOf(order) !== 'open') return 'decided';
  if (placement.key !== null && earlier.running) {
    throw new IdempotencyKeyInUse('The first request with this Idempotency-Key is still running. Retry in a moment');
  }
  return 'pending';
}

/** The answer to a repeat of a decided order: the first answer, if one was kept. @throws like `answerOf` */
export function repeatedAnswer({ answer, memory }: Earlier): PlacedOrder {
  return answer ? { ...answer, replayed: true } : answerOf(memory.state, true);
}

/** The answer to keep for an order's key if this change confirms the order; null otherwise. */
export function answerToKeep(before: Order, after: Order): PlacedOrder | null {
  if (!after.keyed) return null;
  const made = outcomeOf(before) === 'open' && outcomeOf(after) === 'confirmed';
  return made ? confirmedAnswer(after) : null;
}
