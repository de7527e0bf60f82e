/** Endpoint declarations: how a request becomes a call of an action, and how its result becomes the answer. */
import type { IncomingHttpHeaders } from 'node:http';
import { type FieldFault, NotFound, ValidationFailed } from '../../../machines/shared/failure.ts';
import { unknownField } from '../../params/validation-failure.ts';
import { jsonWriter, type WriteJson } from '../reply/money-json.ts';
import type { JsonObject } from '../request/json-body.ts';
import type { QuerySchema, QueryValues } from '../request/query.ts';

/** A request, read and validated as far as the endpoint declares it. */
export interface Input {
  path: Record<string, string>;
  query: QueryValues;
  body: JsonObject;
  headers: IncomingHttpHeaders;
  /** Path and query as the caller sent them, without a trailing slash of the path. */
  url: string;
}

/** An answer. Without a body only the headers are sent. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** The strong ETag of the body, unquoted. With it, `If-None-Match` is honoured. */
  etag?: string;
  /**
   * An object or array, sent as JSON; a text, sent as it is (set its type in `headers`); or a stream, whose headers are
   * sent at once.
   */
  body?: unknown;
}

export interface EndpointOptions<Answer> {
  /** `required`: a JSON object; `optional`: one, or none. Otherwise a body, if there is one, must be an empty object. */
  body?: 'required' | 'optional';
  /** The accepted query parameters; default none. `ignored` is for endpoints that probes call. */
  query?: QuerySchema | 'ignored';
  /** The params of the action; default: the parameters of the path. */
  params?(input: Input): object;
  /** The meta of the call. */
  meta?(input: Input): Record<string, unknown> | undefined;
  /** The answer for the action's result; default: 200 with the result as the body. */
  reply?(answer: Answer, input: Input): Reply;
  /** The answer is a stream: each caller may have a limited number of them open. */
  stream?: boolean;
  /** After the action has refused with Overloaded, further requests are refused unread for a moment. */
  sheds?: boolean;
  /** Fields whose amounts of money are written with two decimals, anywhere in the answer. */
  money?: readonly string[];
  /** No token is needed. Otherwise the access rule of the action applies. */
  public?: boolean;
  /** Exempt from rate limits: for probes, which must never be refused because of other callers. */
  unlimited?: boolean;
}

/** A declared endpoint: a request with this method and path calls this action. */
export interface Endpoint extends Omit<EndpointOptions<unknown>, 'money'> {
  method: string;
  /** Relative to the path of its group, with parameters as `:name`. */
  path: string;
  action: string;
  /** Writes bodies as JSON. */
  json: WriteJson;
}

/** A group of endpoints below a common path, which becomes a route of moleculer-web. */
export interface RouteGroup {
  name: string;
  path: string;
  endpoints: readonly Endpoint[];
  /** The timeout of the actions in milliseconds; default 10 s. */
  timeoutMs?: number;
  /** The actions are called on the gateway's own node only. */
  ownNode?: boolean;
}

/** Declares that requests such as `'POST /orders'` call an action. `Answer` is the result of the action. */
export function route<Answer>(
  line: string,
  action: string,
  { money, ...options }: EndpointOptions<Answer> = {},
): Endpoint {
  const [method = '', path = ''] = line.split(' ');
  return { method, path, ...(options as EndpointOptions<unknown>), action, json: jsonWriter(money) };
}

/** 201 with the address of the created resource. */
export function created(location: string, body: unknown, headers?: Record<string, string>): Reply {
  return { status: 201, headers: { Location: location, ...headers }, body };
}

/** 204. */
export function noContent(): Reply {
  return { status: 204 };
}

/** One page of a list as an action returns it: `next` is the cursor of the next page, null at the end. */
export interface ListPage {
  items: readonly unknown[];
  next: string | null;
}

/** A page as a JSON array, with `Link: <…>; rel="next"` unless it is the last. */
export function pageReply(page: ListPage, input: Input): Reply {
  if (page.next === null || page.next === undefined) return { status: 200, body: page.items };
  const [path = '', query] = input.url.split('?', 2);
  const next = new URLSearchParams(query);
  next.set('cursor', page.next);
  return { status: 200, headers: { Link: `<${path}?${next.toString()}>; rel="next"` }, body: page.items };
}

/**
 * A numeric id from the path.
 * @throws NotFound for anything but a positive integer below 2^53, since no resource has such an id
 */
export function pathId(text: string | undefined): number {
  const id = Number(text);
  if (text === undefined || !/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(id)) {
    throw new NotFound('No such resource');
  }
  return id;
}

/**
 * Merges the fields of the body and the path into the params of one action.
 * @throws ValidationFailed when the body names a field of the path, or `__proto__`
 */
export function mergeParams(body: JsonObject, path: Record<string, unknown>): JsonObject {
  const faults: FieldFault[] = Object.keys(body)
    .filter((field) => field === '__proto__' || Object.hasOwn(path, field))
    .map(unknownField);
  if (faults.length > 0) throw ValidationFailed.of(faults);
  return { ...body, ...path };
}
