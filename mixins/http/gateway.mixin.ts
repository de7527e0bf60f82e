/** A moleculer-web gateway whose endpoints are declarations, with its own router, body reader and answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Service, ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';
import { InternalError, MethodNotAllowed, NotFound, ValidationFailed } from '../../machines/errors.ts';
import { HttpMetrics } from '../metrics/http-metrics.ts';
import { defineMixin } from '../schema.ts';
import type { Endpoint, Input, RouteGroup } from './endpoint.ts';
import { toFailure, unknownField } from './error-answer.ts';
import { HttpServer } from './http-server.ts';
import { hasBody, type JsonObject, RequestAborted, readJsonObject } from './json-body.ts';
import { readQuery } from './query.ts';
import { writeFailure, writeReply } from './reply-writer.ts';
import { requestIdOf } from './request-id.ts';
import { type Match, Router } from './router.ts';

/** Where a gateway listens and what it accepts. */
export interface GatewaySettings {
  host: string;
  port: number;
  /** Bytes a body may have at most. */
  maxBodyBytes: number;
}

export interface GatewayOptions {
  /** Read once, when the service is created. */
  settings: () => GatewaySettings;
  groups: readonly RouteGroup[];
}

/** How long a call behind a request may take. Actions bound their own calls more tightly. */
const CALL_TIMEOUT_MS = 10_000;
/** The status under which a request is counted whose caller went away. */
const CALLER_GONE = 499;

type AuthHook = (ctx: Context, route: unknown, request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** An alias as moleculer-web registers it, with the declaration it came from. */
interface GatewayAlias {
  method: string;
  fullPath: string;
  endpoint: Endpoint;
  /** The path as metrics and people name it: `/orders/{id}`. */
  label: string;
  route: { authentication?: AuthHook; authorization?: AuthHook };
}

/** What the service gains: `this.http`, listening between `started` and `stopped`. */
export interface WithGateway {
  http: HttpServer;
  gatewaySettings: GatewaySettings;
  router: Router<GatewayAlias>;
  httpMetrics: HttpMetrics;
}

/** What moleculer-web put on the service before us. */
interface MoleculerWeb {
  aliases: GatewayAlias[];
  addRoute(options: object): void;
  regenerateAllAutoAliases: () => void;
}

type Gateway = Service & WithGateway & MoleculerWeb;

/** One request on its way through the gateway. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  query: string;
  match: Match<GatewayAlias>;
  alias: GatewayAlias;
}

/** The mixin. Every answer, failures included, is JSON and carries X-Request-ID. */
export function gatewayMixin(options: GatewayOptions): Partial<ServiceSchema> {
  return defineMixin<WithGateway & MoleculerWeb>({
    mixins: [ApiGateway],
    settings: {
      // The server and the routes are made below; moleculer-web would log two lines a request, and open every action.
      server: false,
      routes: null,
      logRequest: null,
      logRequestParams: null,
      logResponse: null,
      logRouteRegistration: null,
    },
    actions: {
      // Routes are declared in code. Peers shall not change them.
      addRoute: false,
      removeRoute: false,
      rest: {
        visibility: 'private',
        async handler(ctx: Context<Exchange>) {
          // A failure is an answer here: thrown, it would count against this action's own circuit breaker.
          try {
            await answer(this as unknown as Gateway, ctx);
          } catch (error) {
            refuse(this as unknown as Gateway, ctx.params, ctx.requestID as string, error);
          }
        },
      },
    },
    created() {
      const gateway = this as unknown as Gateway;
      gateway.gatewaySettings = options.settings();
      gateway.httpMetrics = new HttpMetrics(gateway.broker.metrics);
      gateway.regenerateAllAutoAliases = () => {};
      for (const group of options.groups) gateway.addRoute(routeOptions(group));
      gateway.router = buildRouter(gateway.aliases);
      gateway.http = new HttpServer((request, response) => void serve(gateway, request, response));
      // The broker waits for calls in flight before it stops a service: without this, new ones would keep coming.
      gateway.broker.middlewares.add({ name: 'GatewayDoor', stopping: async () => void gateway.http.stop() });
    },
    async started() {
      const { host, port } = this.gatewaySettings;
      await this.http.listen(port, host);
      this.logger.info(`Listening on http://${host.includes(':') ? `[${host}]` : host}:${this.http.address.port}`);
    },
    async stopped() {
      await this.http.stop();
    },
  });
}

function routeOptions(group: RouteGroup): object {
  const aliases = group.endpoints.map((endpoint) => [
    `${endpoint.method} ${endpoint.path}`,
    { action: endpoint.action ?? null, endpoint },
  ]);
  return {
    ...group.options,
    name: group.name,
    path: group.path,
    aliases: Object.fromEntries(aliases),
    mappingPolicy: 'restrict',
    bodyParsers: false,
    logging: false,
  };
}

function buildRouter(aliases: readonly GatewayAlias[]): Router<GatewayAlias> {
  const router = new Router<GatewayAlias>();
  for (const alias of aliases) {
    alias.label = alias.fullPath.replace(/:(\w+)/g, '{$1}');
    router.add(alias.method, alias.fullPath, alias);
  }
  return router;
}

/** From the headers of a request to its counted and logged answer. Never rejects. */
async function serve(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const requestID = requestIdOf(request.headers['x-request-id']);
  response.setHeader('X-Request-ID', requestID);
  const method = request.method as string;
  const { path, query } = splitUrl(request.url as string);
  let label = 'unmatched';
  try {
    const match = gateway.router.find(path);
    if (!match) throw new NotFound('There is nothing at this address');
    const alias = match.methods.get(method === 'HEAD' ? 'GET' : method);
    const [anyAlias] = match.methods.values();
    label = alias?.label ?? anyAlias?.label ?? label;
    if (alias) {
      const exchange: Exchange = { request, response, path, query, match, alias };
      await gateway.actions.rest?.(exchange, { requestID, meta: { requestID } });
    } else answerOtherMethod(gateway, request, response, match);
  } catch (error) {
    refuse(gateway, { request, response, path }, requestID, error);
  }
  const ms = performance.now() - startedAt;
  const status = response.headersSent ? response.statusCode : CALLER_GONE;
  gateway.httpMetrics.observe(method, label, status, ms / 1_000);
  gateway.logger.debug(method, path, status, ms, requestID);
}

function splitUrl(url: string): { path: string; query: string } {
  // A proxy may send the whole address; only the path and the query matter here.
  const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  return mark < 0 ? { path: local, query: '' } : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}

function answerOtherMethod(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
  match: Match<GatewayAlias>,
): void {
  const allowed = [...match.methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const headers = { Allow: [...allowed, 'OPTIONS'].join(', ') };
  const close = gateway.http.stopping;
  if (request.method === 'OPTIONS')
    response.writeHead(204, { ...headers, ...(close && { Connection: 'close' }) }).end();
  else {
    const failure = new MethodNotAllowed(`Use ${allowed.join(' or ')} at this address`);
    writeFailure(request, response, failure, { headers, close });
  }
}

async function answer(gateway: Gateway, ctx: Context<Exchange>): Promise<void> {
  const { request, response, alias } = ctx.params;
  const { endpoint, route } = alias;
  if (route.authentication) {
    const meta = ctx.meta as Record<string, unknown>;
    meta.user = await route.authentication.call(gateway, ctx, route, request, response);
  }
  if (route.authorization) await route.authorization.call(gateway, ctx, route, request, response);
  const input = await readInput(gateway, ctx.params);
  const result = endpoint.action
    ? await ctx.call(endpoint.action, endpoint.params ? endpoint.params(input) : input.path, {
        timeout: CALL_TIMEOUT_MS,
        meta: endpoint.meta?.(input),
      })
    : await endpoint.answer?.(gateway, input);
  const reply = endpoint.reply ? endpoint.reply(result, input) : { status: 200, body: result };
  await writeReply(request, response, reply, { money: endpoint.money, close: gateway.http.stopping });
}

async function readInput(gateway: Gateway, exchange: Exchange): Promise<Input> {
  const { request, match, alias, query } = exchange;
  const schema = alias.endpoint.query ?? {};
  return {
    path: match.params,
    query: schema === 'ignored' ? {} : readQuery(query, schema),
    body: await readBody(gateway, exchange),
    headers: request.headers,
    url: query === '' ? exchange.path : `${exchange.path}?${query}`,
  };
}

const NO_BODY: JsonObject = Object.freeze({});

async function readBody(gateway: Gateway, { request, response, alias }: Exchange): Promise<JsonObject> {
  const { maxBodyBytes } = gateway.gatewaySettings;
  if (alias.endpoint.body === 'required') return readJsonObject(request, response, maxBodyBytes);
  if (alias.method === 'GET' || !hasBody(request)) return NO_BODY;
  // What is sent to an endpoint that takes nothing is refused rather than ignored.
  const fields = Object.keys(await readJsonObject(request, response, maxBodyBytes));
  if (fields.length > 0) throw ValidationFailed.of(fields.map(unknownField));
  return NO_BODY;
}

/** Answers a failure, and logs it once: a 5xx of ours as a warning, anything unknown with its stack. */
function refuse(
  gateway: Gateway,
  { request, response, path, alias }: Pick<Exchange, 'request' | 'response' | 'path'> & { alias?: GatewayAlias },
  requestID: string,
  error: unknown,
): void {
  if (error instanceof RequestAborted || response.destroyed) return;
  const failure = toFailure(error);
  if (failure instanceof InternalError) {
    gateway.logger.error(request.method, path, failure.code, requestID, error instanceof Error ? error.stack : error);
  } else if (failure.code >= 500) {
    // The cause may name nodes and hosts, which belong in the log only.
    const cause = error instanceof Error ? error.message : failure.message;
    gateway.logger.warn(request.method, path, failure.code, requestID, cause);
  }
  if (response.headersSent) response.destroy();
  else writeFailure(request, response, failure, { money: alias?.endpoint.money, close: gateway.http.stopping });
}
