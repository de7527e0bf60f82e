/** The overridden methods of moleculer-web; the comment above each says what the original would break or cost. */
import ApiGateway from 'moleculer-web';
import { InternalError, NotFound, Overloaded } from '../../machines/shared/failure.ts';
import { ENGINE } from '../auth/caller.ts';
import { about } from '../process/log-format.ts';
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

/** The caller that a request is charged to when it is answered before authentication. */
const NOBODY = ENGINE;
/** The status under which metrics count a request whose caller disconnected. */
const CALLER_GONE = 499;

const web = (ApiGateway as unknown as { methods: WebMethods }).methods;

/** Methods see the whole service as `this`. */
type Overrides = { [Name in keyof WebMethods]?: WebMethods[Name] } & Record<string, unknown> & ThisType<Gateway>;

export const overrides: Overrides = {
  authenticate,
  authorize,

  // Its own server does not limit headers, connections or time, and answers invalid HTTP without a body.
  createServer() {
    this.http = new HttpServer((request, response) => {
      void this.httpHandler(request as GatewayRequest, response);
    }, this.gatewaySettings);
    this.server = this.http.server;
  },

  // It counts nothing, and logs queries, which may contain data that must not be logged.
  async httpHandler(request, response) {
    const startedAt = performance.now();
    await web.httpHandler.call(this, request, response);
    const { method, parsedUrl: path, id, $alias: alias } = request;
    const ms = performance.now() - startedAt;
    const status = response.headersSent ? response.statusCode : CALLER_GONE;
    const label = alias?.label ?? anyAliasOf(this.router.find(path))?.label ?? 'unmatched';
    this.httpMetrics.observe(method, label, status, ms / 1_000);
    this.logger.debug(method, path, status, ms, id, about({ request_id: id, status, duration_ms: ms }));
  },

  // It parses any query into nested objects (qs), and keeps the origin in an absolute URL sent by a proxy.
  parseQueryString({ url }) {
    const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
    const mark = local.indexOf('?');
    return mark < 0 ? { url: local, query: '' } : { url: local.slice(0, mark), query: local.slice(mark + 1) };
  },

  // It tries the pattern of each alias in turn, does not support HEAD, and ignores the case of paths.
  resolveAlias(path, method = 'GET'): Found | false {
    const match = this.router.find(path);
    const alias = match?.methods.get(method === 'HEAD' ? 'GET' : method);
    return match && alias ? { alias, params: match.params } : false;
  },

  // It accepts a part of an allowed origin, refuses others with 403, and calls an action for a plain OPTIONS request.
  corsHandler(_settings, request, response): boolean {
    this.cors?.writeHeaders(request, response);
    const match = request.method === 'OPTIONS' ? this.router.find(request.parsedUrl) : undefined;
    if (!match) return false;
    const methods = methodsOf(match);
    const leave = this.cors?.leaveFor(request, methods.join(', '));
    // Preflight requests carry no token. Charged to their address, invalid tokens from there would block valid callers.
    if (leave === undefined) this.limits?.charge(request, NOBODY);
    writeAllowed(request, response, { Allow: allow(methods), ...leave });
    return true;
  },

  // It adds three listeners to every response and composes middlewares although there are none: 2 µs per request.
  routeHandler(_ctx, route, request, response, found) {
    request.$route = route;
    if (this.corsHandler(route, request, response)) return true;
    if (!found) return null;
    request.$params = found.params;
    request.$alias = found.alias;
    const refusal = found.alias.endpoint.sheds ? this.shedder.refusal() : undefined;
    if (refusal) {
      // Answered at once: an overloaded engine has no time to pass a failure through the broker.
      this.errorHandler(request, response, refusal);
      return true;
    }
    return this.aliasHandler(request, response, found.alias);
  },

  // It looks for the action first: unauthenticated callers would learn that none is available instead of getting a 401.
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

  // Its conditional requests do not follow RFC 9110 with `no-cache`, and it sets headers one by one, several times slower.
  sendResponse(request, response, data) {
    writeReply(request, response, data as Reply);
  },

  // It writes amounts of money with fewer than two decimals.
  encodeResponse({ $alias: alias }, _response, data): string {
    return alias ? alias.endpoint.json(data) : JSON.stringify(data);
  },

  // It logs what the caller sent, and logs every failure as an error with its stack.
  errorHandler(request, response, error) {
    if (error instanceof RequestAborted || response.destroyed) return;
    const failure = toFailure(error);
    const { status } = shownAs(failure);
    const { method, parsedUrl, id, $alias: alias } = request;
    const path = printable(parsedUrl);
    if (failure instanceof InternalError) {
      this.logger.error(method, path, status, id, error, about({ request_id: id, status }));
    } else if (failure instanceof Overloaded && alias?.endpoint.sheds) {
      this.shedder.refused(failure);
    } else if (status >= 500) {
      // The cause may name nodes and hosts, so it goes only to the log.
      const cause = error instanceof Error ? error.message : failure.message;
      this.logger.warn(method, path, status, id, cause, about({ request_id: id, status }));
    }
    this.sendError(request, response, failure);
  },

  // It never answers 405, and does not charge these requests to anyone's rate limit.
  send404(request, response) {
    this.limits?.charge(request, NOBODY);
    const match = this.router.find(request.parsedUrl);
    if (!match) return this.sendError(request, response, new NotFound('No such resource'));
    const methods = methodsOf(match);
    response.setHeader('Allow', allow(methods));
    const failure = new MethodNotAllowed(`Method not allowed: use ${methods.join(' or ')}`);
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

/** A path that is safe to log: bytes beyond printable ASCII can control the terminal that shows the log. */
const printable = (path: string): string => path.replaceAll(/[^\x21-\x7e]/g, '?');
