/** Turns a group of declared endpoints into a route of moleculer-web: its aliases, its hooks and its options. */
import type { CallingOptions, Context } from 'moleculer';
import type { Gateway, GatewayAlias, GatewayRequest, GatewayResponse, WebRoute } from '../gateway.types.ts';
import { callerOf } from '../../auth/caller.ts';
import { callerKey } from '../guard/caller-limits.ts';
import { readInput } from '../request/read-input.ts';
import type { Endpoint, Input, Reply, RouteGroup } from './endpoint.ts';

/** The default timeout of an action. Actions set shorter ones for their own calls. */
const CALL_TIMEOUT_MS = 10_000;

/** The options for `addRoute`. Only the declared aliases are reachable, and moleculer-web logs no requests. */
export function webRoute(group: RouteGroup, gateway: Gateway): object {
  return {
    name: group.name,
    path: group.path,
    aliases: Object.fromEntries(
      group.endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, aliasOf(group, endpoint)]),
    ),
    mappingPolicy: 'restrict',
    bodyParsers: false,
    logging: false,
    authentication: gateway.isGuarded,
    authorization: gateway.isGuarded,
    callOptions: callOptions(group, gateway),
    onBeforeCall,
    onAfterCall,
  };
}

function aliasOf({ path }: RouteGroup, endpoint: Endpoint): object {
  const label = `${path === '/' ? '' : path}${endpoint.path}`.replace(/:(\w+)/g, '{$1}');
  return { action: endpoint.action, handler: readInput, endpoint, label };
}

function callOptions({ timeoutMs, ownNode }: RouteGroup, gateway: Gateway): CallingOptions {
  return { timeout: timeoutMs ?? CALL_TIMEOUT_MS, ...(ownNode && { nodeID: gateway.broker.nodeID }) };
}

/** Passes the id of a request on to every call made for it, and counts streams. @throws TooManyRequests */
function onBeforeCall(ctx: Context, _route: WebRoute, request: GatewayRequest, response: GatewayResponse): void {
  ctx.requestID = request.id;
  if (!request.$alias?.endpoint.stream || request.method === 'HEAD') return;
  const { streams, gatewaySettings } = request.$service;
  streams.enter(callerKey(request, callerOf(ctx), gatewaySettings.trustedProxies), response);
}

/** Turns the action's result into the answer that the endpoint declares. */
function onAfterCall(
  _ctx: Context,
  _route: WebRoute,
  request: GatewayRequest,
  _response: GatewayResponse,
  answer: unknown,
): Reply {
  const { endpoint } = request.$alias as GatewayAlias;
  return endpoint.reply ? endpoint.reply(answer, request.input as Input) : { status: 200, body: answer };
}
