/** Tokens and callers for tests. */
import type { Context, ServiceBroker } from 'moleculer';
import { type Caller, setCaller } from '../../mixins/auth/caller.ts';
import { mintToken } from '../../mixins/auth/token.command.ts';

/** A value for AUTH_JWT_SECRET. */
export const SECRET = 'a secret that only the tests know, long enough';

export const customer = (customerId: number): Caller => ({
  role: 'customer',
  subject: `customer-${customerId}`,
  customerId,
});
export const STAFF: Caller = { role: 'staff', subject: 'sam', customerId: null };
export const ADMIN: Caller = { role: 'admin', subject: 'ann', customerId: null };

/** The header that a caller sends: its token, signed with SECRET. */
export async function bearer({ role, subject, customerId }: Caller): Promise<{ Authorization: string }> {
  if (role === 'service') throw new TypeError('the engine itself has no token');
  const auth = { secret: SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };
  const token = await mintToken(auth, { role, subject, customerId: customerId ?? undefined }, 60_000);
  return { Authorization: `Bearer ${token}` };
}

/** Calls an action as an action would that this caller has called. */
export function callAs<Answer = unknown>(
  broker: ServiceBroker,
  caller: Caller,
  action: string,
  params: object,
  meta: object = {},
): Promise<Answer> {
  const parentCtx: Context = new broker.ContextFactory(broker);
  setCaller(parentCtx, caller);
  return broker.call<Answer, object>(action, params, { parentCtx, meta });
}
