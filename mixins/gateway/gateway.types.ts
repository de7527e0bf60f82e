/** The types of moleculer-web's request, response and service, with the fields that the gateway adds. */
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
import type { OpenStreams } from './stream/open-streams.ts';

/** A route of moleculer-web: the options its aliases share. */
export interface WebRoute {
  path: string;
  callOptions?: CallingOptions;
}

/** An alias of moleculer-web, with the endpoint declaration it was made from. */
export interface GatewayAlias {
  method: string;
  fullPath: string;
  action: string;
  route: WebRoute;
  endpoint: Endpoint;
  /** The path template, for metrics and messages: `/orders/{id}`. */
  label: string;
}

/** A request in progress: moleculer-web sets all fields added here except `id` and `input`. */
export interface GatewayRequest extends IncomingMessage {
  url: string;
  method: string;
  $service: Gateway;
  $ctx: Context;
  /** The node and action to call; undefined until found. */
  $endpoint?: ActionEndpoint;
  /** Undefined until found. */
  $alias?: GatewayAlias;
  $route?: WebRoute;
  $params: unknown;
  /** The path, without the query or a trailing slash. */
  parsedUrl: string;
  /** The query as it was sent, without its question mark. */
  query: string;
  /** The caller's id for this request, or a new one. */
  id: string;
  /** What the endpoint declares as its input; undefined until it is read. */
  input?: Input;
}

export type GatewayResponse = ServerResponse;

/** The alias that matches a path, and the values of its parameters. */
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

/** What the gateway adds to moleculer-web's service. `http` listens between `started` and `stopped`. */
export interface WithGateway {
  http: HttpServer;
  gatewaySettings: GatewaySettings;
  /** The rate limits of callers; undefined: unlimited. */
  limits: CallerLimits | undefined;
  /** The open streams. */
  streams: OpenStreams;
  /** The origins whose pages may call from a browser; undefined: none but its own. */
  cors: Cors | undefined;
  /** Verifies tokens; undefined while authentication is off. */
  tokens: TokenVerifier | undefined;
  /** Whether requests have to show who sends them, or are counted. */
  isGuarded: boolean;
  router: AliasRouter<GatewayAlias>;
  httpMetrics: HttpMetrics;
  shedder: Shedder;
  /** The aliases of all routes, as moleculer-web keeps them. */
  aliases: GatewayAlias[];
}

/** The service. */
export type Gateway = Service & WithGateway & WebMethods & { server: Server; regenerateAllAutoAliases: () => void };
