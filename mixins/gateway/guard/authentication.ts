/** The hooks of moleculer-web that find out who sends a request, and whether he may, before any of its body is read. */
import type { Context, ServiceBroker } from 'moleculer';
import { type AccessRule, demandRole } from '../../auth/access.ts';
import { Unauthenticated } from '../../auth/auth.failures.ts';
import { type Caller, callerOf, type Role, setCaller } from '../../auth/caller.ts';
import type { TokenVerifier } from '../../auth/tokens.ts';
import type { GatewayAlias, GatewayRequest, GatewayResponse, WebRoute } from '../gateway.types.ts';

const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * `authentication`: makes the sender of a request the caller of everything that is called for it, and counts the request:
 * for its caller, and while nobody is known for its address.
 * @throws Unauthenticated, with the header WWW-Authenticate; ServiceUnavailable while tokens cannot be checked;
 * TooManyRequests instead of either, and of Forbidden, for who asks too often
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
  // moleculer-web logs what is answered here, which must name nobody.
  return { role: callerOf(ctx).role };
}

/**
 * `authorization`: looks at the role here already, so that nothing is read from those who are refused anyway; the action
 * itself looks again.
 * @throws Forbidden
 */
export function authorize(
  ctx: Context<unknown, { user?: unknown }>,
  _route: WebRoute,
  _request: GatewayRequest,
  _response: GatewayResponse,
  { endpoint, action }: GatewayAlias,
): void {
  // moleculer-web has put the user there, from where it would cross the mesh with every call; the caller stands in `locals`.
  ctx.meta.user = undefined;
  const rule = endpoint.public ? undefined : ruleOf(ctx.broker, action);
  if (rule !== undefined) demandRole(callerOf(ctx), rule);
}

async function senderOf(request: GatewayRequest, response: GatewayResponse, tokens: TokenVerifier): Promise<Caller> {
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
