/** The methods of moleculer-web that are overridden here: each says in the line above it what it would break or cost. */
import ApiGateway from 'moleculer-web';
import { InternalError, NotFound, Overloaded } from '../../machines/shared/failure.ts';
import { ENGINE } from '../auth/caller.ts';
import { MethodNotAllowed } from './gateway.failures.ts';
import type { Found, Gateway, GatewayRequest, WebMethods } from './gateway.types.ts';
import { authenticate, authorize } from './guard/authentication.ts';
import { toFailure } from './reply/failure-reply.ts';
import { shownAs } from './reply/failure-table.ts';
import { writeAllowed, writeReply } from './reply/reply-writer.ts';
import { RequestAborted } from './request/json-body.ts';
import type { Match } from './routes/alias-router.ts';
import type { Reply } from './routes/endpoint.ts';
import { HttpServer } from './server/http-server.ts';

/** As which a request counts that is answered before anybody is asked who sends it. */
const NOBODY = ENGINE;
/** The status under which a request is counted whose caller went away. */
const CALLER_GONE = 499;

const web = (ApiGateway as unknown as { methods: WebMethods }).methods;

/** Methods see the whole service on `this`. */
type Overrides = { [Name in keyof WebMethods]?: WebMethods[Name] } & Record<string, unknown> & ThisType<Gateway>;

export const overrides: Overrides = {
  authenticate,
  authorize,

  // Its own server has no bounds on headers, connections and time, and answers what is no HTTP without a body.
  createServer() {
    this.http = new HttpServer((request, response) => {
      void this.httpHandler(request as GatewayRequest, response);
    }, this.gatewaySettings);
    this.server = this.http.server;
  },

  // It counts nothing, and its own log lines hold queries, in which may be what belongs in no log.
  async httpHandler(request, response) {
    const startedAt = performance.now();
    await web.httpHandler.call(this, request, response);
    const { method, parsedUrl: path, id, $alias: alias } = request;
    const ms = performance.now() - startedAt;
    const status = response.headersSent ? response.statusCode : CALLER_GONE;
    const label = alias?.label ?? anyAliasOf(this.router.find(path))?.label ?? 'unmatched';
    this.httpMetrics.observe(method, label, status, ms / 1_000);
    this.logger.debug(method, path, status, ms, id);
  },

  // It reads the query of everyone into nested objects (qs), and leaves the origin in a URL that a proxy sends whole.
  parseQueryString({ url }) {
    const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
    const mark = local.indexOf('?');
    return mark < 0 ? { url: local, query: '' } : { url: local.slice(0, mark), query: local.slice(mark + 1) };
  },

  // It tries the expression of each alias in turn, knows no HEAD, and takes a path in any case of its letters.
  resolveAlias(path, method = 'GET'): Found | false {
    const match = this.router.find(path);
    const alias = match?.methods.get(method === 'HEAD' ? 'GET' : method);
    return match && alias ? { alias, params: match.params } : false;
  },

  // It takes a part of a named origin for the whole, refuses others with 403, and calls an action for a bare OPTIONS.
  corsHandler(_settings, request, response): boolean {
    this.cors?.writeHeaders(request, response);
    const match = request.method === 'OPTIONS' ? this.router.find(request.parsedUrl) : undefined;
    if (!match) return false;
    const methods = methodsOf(match);
    const leave = this.cors?.leaveFor(request, methods.join(', '));
    // A browser asks for leave without a token: counted for its address, bad tokens from there would hold up good ones.
    if (leave === undefined) this.limits?.charge(request, NOBODY);
    writeAllowed(request, response, { Allow: allow(methods), ...leave });
    return true;
  },

  // Its own listens three times to every answer, and composes middlewares of which there are none: 2 µs a request.
  routeHandler(_ctx, route, request, response, found) {
    request.$route = route;
    if (this.corsHandler(route, request, response)) return true;
    if (!found) return null;
    request.$params = found.params;
    request.$alias = found.alias;
    const refusal = found.alias.endpoint.sheds ? this.shedder.refusal() : undefined;
    if (refusal) {
      // Answered here and now: an engine that is full has no time for a failure's way through the broker.
      this.errorHandler(request, response, refusal);
      return true;
    }
    return this.aliasHandler(request, response, found.alias);
  },

  // It looks for the action first: with none in reach, strangers would be told so rather than asked who they are.
  aliasHandler(request, response, alias) {
    const handled = web.aliasHandler.call(this, request, response, alias);
    if (!this.isGuarded) return handled;
    return handled.catch(async (error: unknown) => {
      if (request.$endpoint === undefined) {
        await authenticate(request.$ctx, alias.route, request, response, alias);
        authorize(request.$ctx, alias.route, request, response, alias);
      }
      throw error;
    });
  },

  // Its conditions are not those of RFC 9110 with `no-cache`, and it sets headers one by one, several times as slowly.
  sendResponse(request, response, data) {
    writeReply(request, response, data as Reply);
  },

  // Amounts of money have two decimals.
  encodeResponse({ $alias: alias }, _response, data): string {
    return alias ? alias.endpoint.json(data) : JSON.stringify(data);
  },

  // It logs what a caller sent with the error, and a warning's worth as an error with its stack.
  errorHandler(request, response, error) {
    if (error instanceof RequestAborted || response.destroyed) return;
    const failure = toFailure(error);
    const { status } = shownAs(failure);
    const { method, parsedUrl, id, $alias: alias } = request;
    const path = printable(parsedUrl);
    if (failure instanceof InternalError) {
      this.logger.error(method, path, status, id, error instanceof Error ? error.stack : error);
    } else if (failure instanceof Overloaded && alias?.endpoint.sheds) {
      this.shedder.refused(failure);
    } else if (status >= 500) {
      // The cause may name nodes and hosts, which belong in the log only.
      const cause = error instanceof Error ? error.message : failure.message;
      this.logger.warn(method, path, status, id, cause);
    }
    this.sendError(request, response, failure);
  },

  // It knows no 405, and charges nobody for looking around.
  send404(request, response) {
    this.limits?.charge(request, NOBODY);
    const match = this.router.find(request.parsedUrl);
    if (!match) return this.sendError(request, response, new NotFound('There is nothing at this address'));
    const methods = methodsOf(match);
    response.setHeader('Allow', allow(methods));
    const failure = new MethodNotAllowed(`Use ${methods.join(' or ')} at this address`);
    this.sendError(request, response, failure);
  },
};

function anyAliasOf(match: Match<Found['alias']> | undefined): Found['alias'] | undefined {
  const [alias] = match?.methods.values() ?? [];
  return alias;
}

const methodsOf = ({ methods }: Match<Found['alias']>): string[] =>
  [...methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));

const allow = (methods: readonly string[]): string => [...methods, 'OPTIONS'].join(', ');

/** A path as a log line can hold it: bytes beyond ASCII can steer the terminal that shows it. */
const printable = (path: string): string => path.replaceAll(/[^\x21-\x7e]/g, '?');
