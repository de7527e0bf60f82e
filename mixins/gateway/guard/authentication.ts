/** moleculer-web's hooks for authentication and authorization. Both run before any of the body is read. */
import type { Context, ServiceBroker } from 'moleculer';
import { type AccessRule, demandRole } from '../../auth/access.ts';
import { Unauthenticated } from '../../auth/auth.failures.ts';
import { type Caller, callerOf, type Role, setCaller } from '../../auth/caller.ts';
import type { TokenVerifier } from '../../auth/tokens.ts';
import type { GatewayAlias, GatewayRequest, GatewayResponse, WebRoute } from '../gateway.types.ts';

const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * `authentication`: makes the sender of a request the caller of every action that is called for it, and charges the
 * request to the caller's rate limit, or to that of its address while the caller is unknown.
 * @throws Unauthenticated, with the header WWW-Authenticate; ServiceUnavailable while tokens cannot be verified;
 * TooManyRequests instead of any other refusal when the limit is exceeded
 */
export async function authenticate(
  ctx: Context,
  _route: WebRoute,
  request: GatewayRequest,
  response: GatewayResponse,
  { endpoint }: GatewayAlias,
): Promise<{ role: Role | 'service' }> {
  const { tokens, limits } = request.$service;
  try {
    if (tokens !== undefined && !endpoint.public) setCaller(ctx, await senderOf(request, response, tokens));
  } finally {
    if (!endpoint.unlimited) limits?.charge(request, callerOf(ctx));
  }
  // moleculer-web logs the returned value, so it must not identify anybody.
  return { role: callerOf(ctx).role };
}

/**
 * `authorization`: checks the caller's role early, so that no body is read from callers who are refused anyway. The
 * action checks it again.
 * @throws Forbidden
 */
export function authorize(
  ctx: Context<unknown, { user?: unknown }>,
  _route: WebRoute,
  _request: GatewayRequest,
  _response: GatewayResponse,
  { endpoint, action }: GatewayAlias,
): void {
  // moleculer-web has put the user there, and meta crosses the mesh with every call; the caller is kept in `locals`.
  ctx.meta.user = undefined;
  const rule = endpoint.public ? undefined : ruleOf(ctx.broker, action);
  if (rule !== undefined) demandRole(callerOf(ctx), rule);
}

async function senderOf(request: GatewayRequest, response: GatewayResponse, tokens: TokenVerifier): Promise<Caller> {
  const { authorization } = request.headers;
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (token === undefined) {
    response.setHeader('WWW-Authenticate', 'Bearer');
    throw new Unauthenticated('Authentication required: send Authorization: Bearer <token>');
  }
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (error instanceof Unauthenticated) response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
    throw error;
  }
}

/** The access rule of an action, as published by a node that offers it; undefined when no such node is known. */
function ruleOf(broker: ServiceBroker, action: string): AccessRule | undefined {
  const [endpoint] = broker.registry.getActionEndpoints(action)?.endpoints ?? [];
  const rule = (endpoint?.action as { access?: AccessRule } | undefined)?.access;
  return Array.isArray(rule) ? rule : undefined;
}
