/** A request, its answer and the gateway as moleculer-web hands them on, with what the gateway adds to them. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ActionEndpoint, CallingOptions, Context, Service } from 'moleculer';
import type { TokenVerifier } from '../auth/tokens.ts';
import type { HttpMetrics } from '../metrics/http-metrics.ts';
import type { GatewaySettings } from './gateway.settings.ts';
import type { CallerLimits } from './guard/caller-limits.ts';
import type { Cors } from './guard/cors.ts';
import type { Shedder } from './guard/shedder.ts';
import type { AliasRouter } from './routes/alias-router.ts';
import type { Endpoint, Input } from './routes/endpoint.ts';
import type { HttpServer } from './server/http-server.ts';

/** A route of moleculer-web: what its aliases share. */
export interface WebRoute {
  path: string;
  callOptions?: CallingOptions;
}

/** An alias of moleculer-web, with the declaration it was made from. */
export interface GatewayAlias {
  method: string;
  fullPath: string;
  action: string;
  route: WebRoute;
  endpoint: Endpoint;
  /** The path as metrics and people name it: `/orders/{id}`. */
  label: string;
}

/** A request on its way: moleculer-web sets all that is added here but `id` and `input`. */
export interface GatewayRequest extends IncomingMessage {
  url: string;
  method: string;
  $service: Gateway;
  $ctx: Context;
  /** Where the action is called; undefined until it is found. */
  $endpoint?: ActionEndpoint;
  /** Undefined until one is found. */
  $alias?: GatewayAlias;
  $route?: WebRoute;
  $params: unknown;
  /** The path, without the query and without a slash at its end. */
  parsedUrl: string;
  /** The query as it was sent, without its question mark. */
  query: string;
  /** The caller's id for this request, or a new one. */
  id: string;
  /** What the endpoint declares to read, once it is read. */
  input?: Input;
}

/** An answer to a request. */
export type GatewayResponse = ServerResponse;

/** What moleculer-web finds for an address. */
export interface Found {
  alias: GatewayAlias;
  params: Record<string, string>;
}

/** The methods of moleculer-web that are used or overridden here. */
export interface WebMethods {
  addRoute(route: object): void;
  createServer(): void;
  httpHandler(request: GatewayRequest, response: GatewayResponse): Promise<void>;
  parseQueryString(request: GatewayRequest): { url: string; query: string };
  resolveAlias(path: string, method?: string): Found | false;
  routeHandler(
    ctx: Context,
    route: WebRoute,
    request: GatewayRequest,
    response: GatewayResponse,
    found?: Found,
  ): Promise<unknown> | true | null;
  corsHandler(settings: object, request: GatewayRequest, response: GatewayResponse): boolean;
  aliasHandler(request: GatewayRequest, response: GatewayResponse, alias: GatewayAlias): Promise<unknown>;
  sendResponse(request: GatewayRequest, response: GatewayResponse, data: unknown): void;
  encodeResponse(request: GatewayRequest, response: GatewayResponse, data: unknown): string;
  errorHandler(request: GatewayRequest, response: GatewayResponse, error: unknown): void;
  sendError(request: GatewayRequest, response: GatewayResponse, error: unknown): void;
  send404(request: GatewayRequest, response: GatewayResponse): void;
}

/** What the service gains beside moleculer-web's methods. `http` listens between `started` and `stopped`. */
export interface WithGateway {
  http: HttpServer;
  gatewaySettings: GatewaySettings;
  /** How often each caller may ask; undefined: as often as it likes. */
  limits: CallerLimits | undefined;
  /** Whose pages may call from a browser; undefined: those of no other origin. */
  cors: Cors | undefined;
  /** Checks who asks; undefined where nobody is asked. */
  tokens: TokenVerifier | undefined;
  /** Whether requests have to show who sends them, or are counted. */
  isGuarded: boolean;
  router: AliasRouter<GatewayAlias>;
  httpMetrics: HttpMetrics;
  shedder: Shedder;
  /** All aliases of all routes, as moleculer-web keeps them. */
  aliases: GatewayAlias[];
}

/** The service. */
export type Gateway = Service & WithGateway & WebMethods & { server: Server; regenerateAllAutoAliases: () => void };
