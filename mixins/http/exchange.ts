/** The way of one request through the gateway: found, read, called, answered, counted and logged. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Service } from 'moleculer';
import { InternalError, MethodNotAllowed, NotFound, ValidationFailed } from '../../machines/errors.ts';
import type { HttpMetrics } from '../metrics/http-metrics.ts';
import type { Endpoint, Input } from './endpoint.ts';
import { unknownField } from '../validation-failure.ts';
import { toFailure } from './error-answer.ts';
import type { HttpServer } from './http-server.ts';
import { hasBody, type JsonObject, RequestAborted, readJsonObject } from './json-body.ts';
import { readQuery } from './query.ts';
import { writeFailure, writeReply } from './reply-writer.ts';
import { requestIdOf } from './request-id.ts';
import type { Match, Router } from './router.ts';

/** Where a gateway listens and what it accepts. */
export interface GatewaySettings {
  host: string;
  port: number;
  /** Bytes a body may have at most. */
  maxBodyBytes: number;
}

/** How long a call behind a request may take when its endpoint does not say. Actions bound their own calls more tightly. */
const CALL_TIMEOUT_MS = 10_000;
/** The status under which a request is counted whose caller went away. */
const CALLER_GONE = 499;

type AuthHook = (ctx: Context, route: unknown, request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** An alias as moleculer-web registers it, with the declaration it came from. */
export interface GatewayAlias {
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
export interface MoleculerWeb {
  aliases: GatewayAlias[];
  addRoute(options: object): void;
  regenerateAllAutoAliases: () => void;
}

export type Gateway = Service & WithGateway & MoleculerWeb;

/** One request on its way through the gateway. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  query: string;
  match: Match<GatewayAlias>;
  alias: GatewayAlias;
}

/** From the headers of a request to its counted and logged answer. Never rejects. */
export async function serve(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
      const timeout = alias.endpoint.timeoutMs ?? CALL_TIMEOUT_MS;
      await gateway.actions.rest?.(exchange, { requestID, meta: { requestID }, timeout });
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

/** Checks who asks, reads the request, calls its action and writes the answer. Rejects with whatever went wrong. */
export async function answer(gateway: Gateway, ctx: Context<Exchange>): Promise<void> {
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
        timeout: endpoint.timeoutMs ?? CALL_TIMEOUT_MS,
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
export function refuse(
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
