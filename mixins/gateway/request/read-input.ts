/** Reads the parts of a request that its endpoint declares: the query, then the body. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import { unknownField } from '../../params/validation-failure.ts';
import type { GatewayAlias, GatewayRequest, GatewayResponse } from '../gateway.types.ts';
import type { Input } from '../routes/endpoint.ts';
import { hasBody, type JsonObject, readJsonObject } from './json-body.ts';
import { readQuery } from './query.ts';

const NO_BODY: JsonObject = Object.freeze({});

/**
 * The middleware of every alias. moleculer-web runs it after `authorization`, so that nothing is read from unauthorized
 * callers; body parsers and a route's `use` would run before. Stores the params of the action in `$params`.
 */
export function readInput(request: GatewayRequest, response: GatewayResponse, next: (error?: unknown) => void): void {
  const { endpoint, method } = request.$alias as GatewayAlias;
  const { parsedUrl, query, headers } = request;
  const input: Input = {
    path: request.$params as Input['path'],
    query: endpoint.query === 'ignored' ? {} : readQuery(query, endpoint.query ?? {}),
    body: NO_BODY,
    headers,
    url: query === '' ? parsedUrl : `${parsedUrl}?${query}`,
  };
  const proceed = (): void => {
    passOn(request, input);
    next();
  };
  if (endpoint.body !== 'required' && (method === 'GET' || !hasBody(request))) proceed();
  else readBody(request, response, input).then(proceed).catch(next);
}

/** Stores the params and the meta of the call. */
function passOn(request: GatewayRequest, input: Input): void {
  const { endpoint } = request.$alias as GatewayAlias;
  request.input = input;
  request.$params = endpoint.params ? endpoint.params(input) : input.path;
  const meta = endpoint.meta?.(input);
  if (meta) Object.assign(request.$ctx.meta, meta);
}

async function readBody(request: GatewayRequest, response: GatewayResponse, input: Input): Promise<void> {
  const { endpoint, action, route } = request.$alias as GatewayAlias;
  const { broker, gatewaySettings } = request.$service;
  input.body = await readJsonObject(request, response, gatewaySettings.maxBodyBytes);
  if (endpoint.body === undefined) {
    // Fields sent to an endpoint that takes none are refused rather than ignored.
    const fields = Object.keys(input.body);
    if (fields.length > 0) throw ValidationFailed.of(fields.map(unknownField));
  }
  // The node that moleculer-web chose before the body was read may be gone by now. Only then is another one chosen: each
  // choice advances the balancer, and with two per request, one of two nodes would get all requests.
  const { $endpoint: chosen } = request;
  const offered = broker.registry.getActionEndpoints(action)?.endpoints;
  if (chosen?.isAvailable && offered?.includes(chosen)) return;
  const found = broker.findNextActionEndpoint(action, route.callOptions, request.$ctx);
  if (found instanceof Error) throw found;
  request.$endpoint = found as GatewayRequest['$endpoint'];
}
