/** The way of one request through the gateway: found, read, called, answered, counted and logged. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Service, ServiceBroker } from 'moleculer';
import { InternalError, NotFound, Overloaded, ValidationFailed } from '../../machines/shared/failure.ts';
import { MethodNotAllowed } from './gateway.failures.ts';
import { type Caller, callerOf, ENGINE } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/tokens.ts';
import type { HttpMetrics } from '../metrics/http-metrics.ts';
import type { Headers } from './reply/answer-headers.ts';
import { admit } from './guard/authentication.ts';
import type { CallerLimits } from './guard/caller-limits.ts';
import type { Cors } from './guard/cors.ts';
import type { Endpoint, Input } from './routes/endpoint.ts';
import { unknownField } from '../params/validation-failure.ts';
import { toFailure } from './reply/failure-reply.ts';
import { shownAs } from './reply/failure-table.ts';
import type { HttpServer } from './server/http-server.ts';
import type { GatewaySettings } from './gateway.settings.ts';
import { hasBody, type JsonObject, RequestAborted, readJsonObject } from './request/json-body.ts';
import { readQuery } from './request/query.ts';
import { type WriteOptions, writeAllowed, writeFailure, writeReply } from './reply/reply-writer.ts';
import { requestIdOf } from './request/request-id.ts';
import type { Match, Router } from './routes/router.ts';
import type { Shedder } from './guard/shedder.ts';

/** How long a call behind a request may take when its endpoint does not say. Actions bound their own calls more tightly. */
const CALL_TIMEOUT_MS = 10_000;
/** As which a request counts that is answered before anybody is asked who sends it. */
const NOBODY: Caller = ENGINE;
/** The status under which a request is counted whose caller went away. */
const CALLER_GONE = 499;

/** An alias as moleculer-web registers it, with the declaration it came from. */
export interface GatewayAlias {
  method: string;
  fullPath: string;
  endpoint: Endpoint;
  /** The path as metrics and people name it: `/orders/{id}`. */
  label: string;
}

/** What the service gains: `this.http`, listening between `started` and `stopped`. */
export interface WithGateway {
  http: HttpServer;
  gatewaySettings: GatewaySettings;
  /** How often each caller may ask; undefined: as often as it likes. */
  limits: CallerLimits | undefined;
  /** Whose pages may call from a browser; undefined: those of no other origin. */
  cors: Cors | undefined;
  /** Checks who asks; undefined where nobody is asked. */
  tokens: TokenVerifier | undefined;
  router: Router<GatewayAlias>;
  httpMetrics: HttpMetrics;
  shedder: Shedder;
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
  requestID: string;
  /** What CORS adds to the answer. */
  cors: Headers | undefined;
  match: Match<GatewayAlias>;
  alias: GatewayAlias;
}

/** What is known of a request for which nothing was found. */
export type Arrival = Pick<Exchange, 'request' | 'response' | 'path' | 'requestID' | 'cors'>;

/** From the headers of a request to its counted and logged answer. Never rejects. */
export async function serve(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const requestID = requestIdOf(request.headers['x-request-id']);
  const method = request.method as string;
  const { path, query } = splitUrl(request.url as string);
  const cors = gateway.cors?.headersFor(request);
  let label = 'unmatched';
  let alias: GatewayAlias | undefined;
  try {
    const match = gateway.router.find(path);
    if (!match) {
      gateway.limits?.charge(request, NOBODY);
      throw new NotFound('There is nothing at this address');
    }
    alias = match.methods.get(method === 'HEAD' ? 'GET' : method);
    const [anyAlias] = match.methods.values();
    label = alias?.label ?? anyAlias?.label ?? label;
    if (alias) {
      if (alias.endpoint.sheds) gateway.shedder.admit();
      const exchange: Exchange = { request, response, path, query, requestID, cors, match, alias };
      await answer(gateway, contextOf(gateway, exchange));
    } else answerOtherMethod(gateway, { request, response, path, requestID, cors }, match);
  } catch (error) {
    refuse(gateway, { request, response, path, requestID, cors, ...(alias && { alias }) }, error);
  }
  const ms = performance.now() - startedAt;
  const status = response.headersSent ? response.statusCode : CALLER_GONE;
  gateway.httpMetrics.observe(method, label, status, ms / 1_000);
  gateway.logger.debug(method, path, status, ms, requestID);
}

/**
 * The context that the calls of a request come from. moleculer-web has an action of its own to make it, whose way through
 * every middleware would cost as much as the call behind it.
 */
function contextOf({ broker }: Gateway, exchange: Exchange): Context<Exchange> {
  const { requestID } = exchange;
  return (broker.ContextFactory as unknown as ContextFactory).create(broker, null, exchange, {
    requestID,
    meta: { requestID },
  });
}

/** `Context.create` as it is: its declared type demands an endpoint. */
interface ContextFactory {
  create(broker: ServiceBroker, endpoint: null, params: Exchange, options: object): Context<Exchange>;
}

function splitUrl(url: string): { path: string; query: string } {
  // A proxy may send the whole address; only the path and the query matter here.
  const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  return mark < 0 ? { path: local, query: '' } : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}

function answerOtherMethod(gateway: Gateway, arrival: Arrival, match: Match<GatewayAlias>): void {
  const { request, response } = arrival;
  const allowed = [...match.methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const headers = { Allow: [...allowed, 'OPTIONS'].join(', ') };
  const options = writeOptions(gateway, arrival);
  const leave = request.method === 'OPTIONS' ? gateway.cors?.leaveFor(request, allowed.join(', ')) : undefined;
  // A browser asks for leave without a token: counted for its address, bad tokens from there would hold up good ones.
  if (leave === undefined) gateway.limits?.charge(request, NOBODY);
  if (request.method === 'OPTIONS') {
    writeAllowed(response, { ...headers, ...leave }, options);
  } else {
    const failure = new MethodNotAllowed(`Use ${allowed.join(' or ')} at this address`);
    writeFailure(request, response, failure, { ...options, headers });
  }
}

/** Checks who asks, reads the request, calls its action and writes the answer. Rejects with whatever went wrong. */
async function answer(gateway: Gateway, ctx: Context<Exchange>): Promise<void> {
  const { request, response, alias } = ctx.params;
  const { endpoint } = alias;
  if (gateway.limits !== undefined && !endpoint.unlimited) await admitWithin(gateway.limits, gateway.tokens, ctx);
  else if (gateway.tokens !== undefined) await admit(gateway.tokens, ctx);
  const input = await readInput(gateway, ctx.params);
  const result = endpoint.action
    ? await ctx.call(endpoint.action, endpoint.params ? endpoint.params(input) : input.path, {
        timeout: endpoint.timeoutMs ?? CALL_TIMEOUT_MS,
        meta: endpoint.meta?.(input),
      })
    : await endpoint.answer?.(gateway, input);
  const reply = endpoint.reply ? endpoint.reply(result, input) : { status: 200, body: result };
  await writeReply(request, response, reply, writeOptions(gateway, ctx.params, endpoint.money));
}

/** Finds out who asks, and counts the request: for its caller, and while nobody is known for its address. */
async function admitWithin(
  limits: CallerLimits,
  tokens: TokenVerifier | undefined,
  ctx: Context<Exchange>,
): Promise<void> {
  try {
    if (tokens !== undefined) await admit(tokens, ctx);
  } finally {
    // Those who are refused count as well, and past their rate they are told so instead.
    limits.charge(ctx.params.request, callerOf(ctx));
  }
}

function writeOptions(gateway: Gateway, { request, requestID, cors }: Arrival, money?: boolean): WriteOptions {
  // After a request that asks for another protocol Node waits in silence for the end of a broken one on its connection.
  const close = gateway.http.stopping || request.headers.upgrade !== undefined;
  return { requestID, cors, money, close };
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
function refuse(gateway: Gateway, arrival: Arrival & { alias?: GatewayAlias }, error: unknown): void {
  const { request, response, path, requestID, alias } = arrival;
  if (error instanceof RequestAborted || response.destroyed) return;
  const failure = toFailure(error);
  const { status } = shownAs(failure);
  if (failure instanceof InternalError) {
    gateway.logger.error(
      request.method,
      printable(path),
      status,
      requestID,
      error instanceof Error ? error.stack : error,
    );
  } else if (failure instanceof Overloaded && alias?.endpoint.sheds) {
    gateway.shedder.refused(failure);
  } else if (status >= 500) {
    // The cause may name nodes and hosts, which belong in the log only.
    const cause = error instanceof Error ? error.message : failure.message;
    gateway.logger.warn(request.method, printable(path), status, requestID, cause);
  }
  if (response.headersSent) response.destroy();
  else writeFailure(request, response, failure, writeOptions(gateway, arrival, alias?.endpoint.money));
}

/** A path as a log line can hold it: bytes beyond ASCII can steer the terminal that shows it. */
const printable = (path: string): string => path.replaceAll(/[^\x21-\x7e]/g, '?');
