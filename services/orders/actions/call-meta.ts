/** What travels beside the parameters of a call: checked here, as the validator never sees it and a peer may send anything. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import { isVisible } from '../../../mixins/params/params.ts';
import type { CallMeta } from '../orders.context.ts';

const MAX_KEY = 255;
const MAX_REQUEST_ID = 128;

/** The idempotency key of a call, null without one. @throws ValidationFailed for one that cannot be kept. */
export function idempotencyKeyOf({ idempotencyKey }: CallMeta): string | null {
  if (idempotencyKey === undefined || idempotencyKey === null) return null;
  if (isVisible(idempotencyKey, MAX_KEY)) return idempotencyKey;
  const message = `Give 1 to ${MAX_KEY} visible ASCII characters, without spaces`;
  throw ValidationFailed.of([{ field: 'idempotencyKey', type: 'idempotencyKey', message }]);
}

/** The id of the request that a call belongs to, as it is kept and logged; null for what could not be. */
export function requestIdOf(requestID: unknown): string | null {
  return isVisible(requestID, MAX_REQUEST_ID) ? requestID : null;
}
