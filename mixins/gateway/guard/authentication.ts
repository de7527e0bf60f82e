/** Finds out who sends a request, before any of its body is read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, ServiceBroker } from 'moleculer';
import { Unauthenticated } from '../../auth/auth.failures.ts';
import { type AccessRule, demandRole } from '../../auth/access.ts';
import { type Caller, setCaller } from '../../auth/caller.ts';
import type { TokenVerifier } from '../../auth/tokens.ts';
import type { Exchange } from '../exchange.ts';

const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * Makes the sender of a request the caller of everything that is called for it. The role is looked at here already,
 * so that nothing is read from those who are refused anyway; the action itself looks again.
 * @throws Unauthenticated, with the header WWW-Authenticate; Forbidden; ServiceUnavailable while tokens cannot be checked
 */
export async function admit(tokens: TokenVerifier, ctx: Context<Exchange>): Promise<void> {
  const { request, response, alias } = ctx.params;
  const { access, action } = alias.endpoint;
  if (access === 'public') return;
  const caller = await senderOf(request, response, tokens);
  // Before anything refuses it: what is refused counts against its caller too.
  setCaller(ctx, caller);
  const rule = action === undefined ? (access ?? []) : ruleOf(ctx.broker, action);
  if (rule !== undefined) demandRole(caller, rule);
}

async function senderOf(request: IncomingMessage, response: ServerResponse, tokens: TokenVerifier): Promise<Caller> {
  const { authorization } = request.headers;
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (token === undefined) {
    response.setHeader('WWW-Authenticate', 'Bearer');
    throw new Unauthenticated('Say who you are: send a token as Authorization: Bearer <token>');
  }
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (error instanceof Unauthenticated) response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
    throw error;
  }
}

/** The rule of an action, as any node that offers it tells; undefined when none is known here. */
function ruleOf(broker: ServiceBroker, action: string): AccessRule | undefined {
  const [endpoint] = broker.registry.getActionEndpoints(action)?.endpoints ?? [];
  const rule = (endpoint?.action as { access?: AccessRule } | undefined)?.access;
  return Array.isArray(rule) ? rule : undefined;
}
